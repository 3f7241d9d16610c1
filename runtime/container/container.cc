#include "runtime/container/container.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

#include "runtime/container/names.h"
#include "unionfs/base/file.h"

namespace strata::container {
namespace {

Error no_container(const image::Store& store, std::string_view reference) {
  return {ENOENT, "no container '" + std::string(reference) + "' in " + store.root().string() +
                      "; 'strata ps -a' lists what is there"};
}

// The only ID that starts with `prefix`.
Result<std::string> id_by_prefix(const image::Store& store, std::string_view prefix) {
  STRATA_TRY(const auto ids, container_ids(store));
  const std::string* found = nullptr;
  for (const auto& id : ids) {
    if (!id.starts_with(prefix)) continue;
    if (found != nullptr)
      return fail(EINVAL, "'" + std::string(prefix) + "' is ambiguous: containers " + *found +
                              " and " + id + " start with it");
    found = &id;
  }
  if (found == nullptr) return std::unexpected(no_container(store, prefix));
  return *found;
}

// The two lines of container.json.
struct Lines {
  std::string_view record, state;
};
Lines split(std::string_view text) {
  const auto newline = text.find('\n');
  if (newline == std::string_view::npos) return {text, {}};
  return {text.substr(0, newline), text.substr(newline + 1)};
}

bool is_digits(std::string_view text) {
  return !text.empty() && text.size() <= kIdDigits &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

Result<Container> Container::find(const image::Store& store, std::string_view reference) {
  STRATA_TRY(auto id, lookup_name(store, reference));
  if (!id && is_digits(reference)) {
    STRATA_TRY(id, id_by_prefix(store, reference));
  }
  if (!id) return std::unexpected(no_container(store, reference));
  auto container = load(store, *id);
  if (!container && container.error().code == ENOENT)
    return std::unexpected(no_container(store, reference));
  return container;
}

Result<Container> Container::load(const image::Store& store, std::string_view id) {
  const Files files(store, id);
  STRATA_TRY(const auto text, read_file_if_exists(files.record()));
  if (!text) return std::unexpected(no_container(store, id));
  STRATA_TRY(Record record, record_from_json(split(*text).record, files.record().native()));
  if (record.id != id) return fail(EINVAL, files.record().string() + ": of another container");
  return Container(store, std::move(record));
}

Result<State> Container::state() const {
  const auto& path = files_.record();
  STRATA_TRY(const auto text, read_file_if_exists(path));
  if (!text) return State{};
  STRATA_TRY(State state, state_from_json(split(*text).state, path.native()));
  if (state.status != Status::kRunning || is_alive(state.monitor)) return state;
  // The monitor may have recorded the exit and gone between our two looks.
  STRATA_TRY(const auto again, read_file_if_exists(path));
  if (again && *again != *text) return state_from_json(split(*again).state, path.native());
  state.status = Status::kDead;
  return state;
}

Result<void> Container::save(const State& state, Durability durability) const {
  if (record_line_.empty()) record_line_ = to_json(record_);
  return write_file_atomic(files_.record(), record_line_ + to_json(state), durability, 0600);
}

Result<std::vector<std::string>> container_ids(const image::Store& store) {
  std::vector<std::string> ids;
  std::error_code ec;
  for (std::filesystem::directory_iterator it(store.containers_dir(), ec), end; !ec && it != end;
       it.increment(ec)) {
    std::string id = it->path().filename().string();
    if (is_id(id)) ids.push_back(std::move(id));
  }
  if (ec) return fail_errno("read directory " + store.containers_dir().string(), ec.value());
  return ids;
}

Result<Listing> list(const image::Store& store) {
  STRATA_TRY(const auto ids, container_ids(store));
  Listing listing;
  for (const auto& id : ids) {
    auto container = Container::load(store, id);
    if (!container && container.error().code == ENOENT) continue;
    auto state = container ? container->state() : std::unexpected(container.error());
    if (state) {
      listing.containers.emplace_back(*std::move(container), *std::move(state));
    } else {
      listing.problems.push_back(wrap("container " + std::string(short_id(id)), state.error()));
    }
  }
  std::sort(listing.containers.begin(), listing.containers.end(), [](const auto& a, const auto& b) {
    return a.first.record().created > b.first.record().created;
  });
  return listing;
}

Result<ContainerLock> ContainerLock::take(const Files& files, std::chrono::milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  const auto& dir = files.dir();
  STRATA_TRY(UniqueFd fd, open_file(dir, O_RDONLY | O_DIRECTORY));
  while (::flock(fd.get(), LOCK_EX | LOCK_NB) < 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) return fail_errno("lock " + dir.string());
    if (std::chrono::steady_clock::now() >= deadline)
      return fail(EBUSY, "container " + std::string(short_id(dir.filename().native())) +
                             " is in use by another program");
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  struct stat st {};
  if (::fstat(fd.get(), &st) < 0 || st.st_nlink == 0)
    return fail_errno("lock " + dir.string(), ENOENT);
  return ContainerLock(std::move(fd));
}

Result<Pause> Pause::of(const Container& container) {
  Pause pause;
  STRATA_TRY(const State state, container.state());
  if (state.status != Status::kRunning) return pause;
  auto cgroup = linux::Cgroup::existing(cgroup_path(container.id()));
  if (auto frozen = cgroup.freeze(); !frozen)
    return fail_in("pause " + container.name(), std::move(frozen).error());
  pause.frozen_ = std::move(cgroup);
  return pause;
}

Pause::~Pause() {
  if (frozen_) (void)frozen_->thaw();
}

}  // namespace strata::container
