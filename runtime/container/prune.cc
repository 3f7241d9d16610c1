#include "runtime/container/prune.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <optional>

#include "runtime/container/container.h"
#include "runtime/container/control.h"
#include "runtime/container/names.h"
#include "runtime/linux/cgroup.h"
#include "unionfs/base/file.h"

namespace strata::container {
namespace {

namespace fs = std::filesystem;

// Bytes of the files below, as far as they can be seen.
uint64_t size_of(const fs::path& dir) {
  uint64_t bytes = 0;
  std::error_code ec;
  for (fs::recursive_directory_iterator it(dir, fs::directory_options::skip_permission_denied, ec),
       end;
       !ec && it != end; it.increment(ec)) {
    struct stat st {};
    constexpr uint64_t kBlock = 512;
    if (::lstat(it->path().c_str(), &st) == 0)
      bytes += static_cast<uint64_t>(st.st_blocks) * kBlock / std::max<uint64_t>(1, st.st_nlink);
  }
  return bytes;
}

// Names whose container is not there.
Result<std::vector<std::string>> stale_names(const image::Store& store) {
  std::vector<std::string> stale;
  const fs::path names = Files(store, "").names();
  std::error_code ec;
  for (fs::directory_iterator it(names, ec), end; !ec && it != end; it.increment(ec)) {
    const std::string name = it->path().filename().string();
    STRATA_TRY(const auto id, lookup_name(store, name));
    std::error_code absent;
    if (!id || !fs::exists(Files(store, *id).dir(), absent)) stale.push_back(name);
  }
  if (ec && ec.value() != ENOENT) return fail_errno("read directory " + names.string(), ec.value());
  return stale;
}

// What there is to be done with a directory in containers/.
enum class Verdict { kKeep, kRemove, kRecover };

// `container` is set if the directory holds one. REQUIRES: the directory's lock.
Result<Verdict> judge(const image::Store& store, std::string_view id, bool all_stopped,
                      std::optional<Container>& container) {
  auto loaded = Container::load(store, id);
  if (!loaded && loaded.error().code == ENOENT) return Verdict::kRemove;
  // An empty record is one that never reached the disk before the machine crashed.
  struct stat st {};
  if (!loaded && ::stat(Files(store, id).record().c_str(), &st) == 0 && st.st_size == 0)
    return Verdict::kRemove;
  if (!loaded) return std::unexpected(std::move(loaded).error());
  container = *std::move(loaded);
  STRATA_TRY(const State state, container->state());
  if (state.needs_recovery()) {
    const bool remove = all_stopped || container->record().auto_remove;
    return remove ? Verdict::kRemove : Verdict::kRecover;
  }
  if (all_stopped && state.can_remove()) return Verdict::kRemove;
  // A monitor that was killed before it recorded the start, or after the end.
  const bool has_cgroup = !linux::Cgroup::existing(cgroup_path(id)).directories().empty();
  return has_cgroup && !state.can_kill() ? Verdict::kRecover : Verdict::kKeep;
}

Result<void> clear_cgroup(std::string_view id) {
  const auto cgroup = linux::Cgroup::existing(cgroup_path(id));
  STRATA_CHECK(cgroup.kill_all());
  return cgroup.remove();
}

// Whoever works on a directory holds its lock; then it is nullopt.
Result<std::optional<ContainerLock>> try_lock(const Files& files) {
  auto lock = ContainerLock::take(files, std::chrono::milliseconds(0));
  if (lock) return std::optional(*std::move(lock));
  if (lock.error().code == EBUSY || lock.error().code == ENOENT)
    return std::optional<ContainerLock>();
  return std::unexpected(std::move(lock).error());
}

Result<void> prune_one(const image::Store& store, const std::string& id, bool all_stopped,
                       PruneReport& report) {
  const Files files(store, id);
  STRATA_TRY(const auto lock, try_lock(files));
  if (!lock) return {};
  std::optional<Container> container;
  STRATA_TRY(const Verdict verdict, judge(store, id, all_stopped, container));
  switch (verdict) {
    case Verdict::kKeep:
      return {};
    case Verdict::kRecover:
      STRATA_CHECK(recover(*container, *lock));
      report.recovered.push_back(id);
      return {};
    case Verdict::kRemove:
      break;
  }
  STRATA_CHECK(clear_cgroup(id));
  const uint64_t bytes = size_of(files.dir());
  STRATA_CHECK(container ? remove_files(*container) : remove_tree(files.dir()));
  report.containers.push_back(id);
  report.bytes += bytes;
  return {};
}

std::string describe(std::string_view id) {
  return "container " + std::string(short_id(id));
}

Result<std::optional<std::string>> check_one(const image::Store& store, const std::string& id) {
  STRATA_TRY(const auto lock, try_lock(Files(store, id)));
  if (!lock) return std::optional<std::string>();
  std::optional<Container> container;
  auto verdict = judge(store, id, false, container);
  if (!verdict) return std::optional(describe(id) + ": " + verdict.error().what);
  if (*verdict == Verdict::kKeep) return std::optional<std::string>();
  if (!container)
    return std::optional(describe(id) + ": was never completed, or not removed to the end");
  return std::optional(describe(id) + " (" + container->name() + "): its monitor was killed");
}

}  // namespace

Result<PruneReport> prune(const image::Store& store, bool all_stopped) {
  PruneReport report;
  std::optional<Error> first_error;
  const auto note = [&](Result<void> done, const std::string& what) {
    if (!done && !first_error) first_error = wrap(what, std::move(done).error());
  };
  STRATA_TRY(const auto ids, container_ids(store));
  for (const auto& id : ids) note(prune_one(store, id, all_stopped, report), describe(id));
  STRATA_TRY(const auto names, stale_names(store));
  for (const auto& name : names) note(remove_stale_name(store, name), "name " + name);
  if (first_error) return std::unexpected(*std::move(first_error));
  return report;
}

Result<std::vector<std::string>> check(const image::Store& store) {
  std::vector<std::string> problems;
  STRATA_TRY(const auto ids, container_ids(store));
  for (const auto& id : ids) {
    auto problem = check_one(store, id);
    if (!problem) {
      problems.push_back(describe(id) + ": " + problem.error().what);
    } else if (*problem) {
      problems.push_back(**problem);
    }
  }
  STRATA_TRY(const auto names, stale_names(store));
  for (const auto& name : names)
    problems.push_back("name " + name + ": the container that it belonged to is gone");
  return problems;
}

}  // namespace strata::container
