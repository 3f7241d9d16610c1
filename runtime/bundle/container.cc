#include "runtime/bundle/container.h"

#include <fcntl.h>

#include "unionfs/base/file.h"
#include "unionfs/base/json.h"

namespace strata::bundle {
namespace {

std::optional<std::string> read_in(const linux::Cgroup::Directory& directory, const char* file) {
  auto text = read_file(std::filesystem::path(directory.path) / file);
  if (!text) return std::nullopt;
  return *std::move(text);
}

// A writer finds a FIFO without readers closed (fifo(7), ENXIO).
bool has_reader(const std::filesystem::path& fifo) {
  return open_file(fifo, O_WRONLY | O_NONBLOCK).has_value();
}

}  // namespace

std::string_view status_name(Status status) {
  switch (status) {
    case Status::kCreating:
      return "creating";
    case Status::kCreated:
      return "created";
    case Status::kRunning:
      return "running";
    case Status::kPaused:
      return "paused";
    case Status::kStopped:
      return "stopped";
  }
  return "unknown";
}

Result<Container> Container::load(const std::filesystem::path& root, std::string_view id) {
  STRATA_TRY(auto directory, StateDirectory::open(root, id));
  const auto path = directory.state();
  STRATA_TRY(const auto text, read_file_if_exists(path));
  if (!text) return fail(ENOENT, "container does not exist");
  STRATA_TRY(auto record, record_from_json(*text, path.native()));
  if (record.id != id) return fail(EINVAL, path.string() + ": of another container");
  return Container(std::move(directory), std::move(record));
}

Result<void> Container::lock() {
  constexpr auto kPatience = std::chrono::seconds(10);
  STRATA_CHECK(directory_.lock(kPatience));
  STRATA_TRY(const auto text, read_file_if_exists(directory_.state()));
  if (!text) return fail(ENOENT, "container does not exist");
  STRATA_TRY(record_, record_from_json(*text, directory_.state().native()));
  return {};
}

Result<void> Container::save() const {
  constexpr mode_t kPrivate = 0600;
  return write_file_atomic(directory_.state(), to_json(record_), Durability::kAtomic, kPrivate);
}

Status Container::status() const {
  if (record_.init.pid == 0)
    return directory_.is_locked_elsewhere() ? Status::kCreating : Status::kStopped;
  if (!container::is_alive(record_.init)) return Status::kStopped;
  if (has_reader(directory_.fifo())) return Status::kCreated;
  return is_frozen(cgroup()) ? Status::kPaused : Status::kRunning;
}

linux::Cgroup Container::cgroup() const {
  return linux::Cgroup::existing(record_.cgroup);
}

Result<oci::Spec> Container::spec() const {
  const auto config = directory_.config();
  STRATA_TRY(const auto text, read_file(config));
  return oci::from_json(text, config.native());
}

Result<oci::Hooks> Container::hooks() const {
  if (!record_.has_hooks) return oci::Hooks{};
  STRATA_TRY(auto spec, this->spec());
  return std::move(spec.hooks);
}

Result<UniqueFd> Container::open_init() const {
  UniqueFd pidfd = container::open_process(record_.init);
  if (!pidfd) return fail(ESRCH, "container not running");
  return pidfd;
}

bool is_frozen(const linux::Cgroup& cgroup) {
  for (const auto& directory : cgroup.directories()) {
    if (directory.unified) {
      const auto events = read_in(directory, "cgroup.events");
      if (events && events->find("frozen 1") != std::string::npos) return true;
    } else if (const auto state = read_in(directory, "freezer.state")) {
      if (!state->starts_with("THAWED")) return true;
    }
  }
  return false;
}

std::string owner_name(const Record& record) {
  return record.owner == 0 ? "root" : std::to_string(record.owner);
}

namespace {

OrderedJson state_of(const Record& record, Status status) {
  const bool lives = status != Status::kStopped;
  OrderedJson json{
      {"ociVersion", kOciVersion},
      {"id", record.id},
      {"pid", lives ? record.init.pid : 0},
      {"status", status_name(status)},
      {"bundle", record.bundle},
      {"rootfs", record.rootfs},
      {"created", record.created},
  };
  if (!record.annotations.empty()) json["annotations"] = record.annotations;
  json["owner"] = owner_name(record);
  return json;
}

std::string dump(const OrderedJson& json, int indent) {
  return json.dump(indent, ' ', false, OrderedJson::error_handler_t::replace);
}

}  // namespace

std::string state_json(const Record& record, Status status, bool indented) {
  return dump(state_of(record, status), indented ? 2 : -1);
}

std::string listener_state_json(const Record& record, Status status, pid_t pid,
                                const std::string& metadata) {
  OrderedJson json{{"ociVersion", kOciVersion}, {"fds", {"seccompFd"}}, {"pid", pid}};
  if (!metadata.empty()) json["metadata"] = metadata;
  json["state"] = state_of(record, status);
  return dump(json, -1);
}

}  // namespace strata::bundle
