#include "runtime/container/setup.h"

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <vector>

#include "runtime/container/root.h"
#include "runtime/container/spec.h"
#include "runtime/container/user.h"
#include "runtime/linux/seccomp.h"
#include "runtime/oci/spec.h"
#include "unionfs/base/file.h"
#include "unionfs/base/undo.h"

namespace strata::container {
namespace {

// What of a path is not there, the deepest directory first.
std::vector<std::filesystem::path> missing_part(std::filesystem::path path) {
  std::vector<std::filesystem::path> missing;
  for (; !path.empty() && ::access(path.c_str(), F_OK) < 0; path = path.parent_path())
    missing.push_back(path);
  return missing;
}

// Docker's rule for -v: a source that is not there becomes a directory. It goes again if the
// container does not start.
Result<void> make_volume_sources(const Record& record, Undo& undo) {
  for (const auto& volume : record.volumes) {
    auto missing = missing_part(volume.source);
    if (missing.empty()) continue;
    undo.add([missing = std::move(missing)] {
      for (const auto& dir : missing) ::rmdir(dir.c_str());  // unless somebody uses it already
    });
    if (auto made = make_dirs(volume.source); !made)
      return fail_in("volume " + volume.destination, std::move(made).error());
  }
  return {};
}

// One of a run that was cut off may still be there; the container's lock says that it is ours.
Result<linux::Cgroup> make_cgroup(const Container& container, const oci::Resources& resources) {
  const auto path = cgroup_path(container.id());
  auto cgroup = linux::Cgroup::create(path, resources);
  if (cgroup || cgroup.error().code != EEXIST) return cgroup;
  const auto leftover = linux::Cgroup::existing(path);
  STRATA_CHECK(leftover.kill_all());
  STRATA_CHECK(leftover.remove());
  return linux::Cgroup::create(path, resources);
}

class Setup {
 public:
  Setup(const Container& container, const StartOptions& options)
      : container_(container), options_(options) {}

  Result<RunningProgram> run() {
    const Record& record = container_.record();
    auto network =
        record.network == Network::kNone ? linux::EarlyNetwork::begin() : linux::EarlyNetwork();
    Undo made_sources;
    STRATA_CHECK(make_volume_sources(record, made_sources));
    STRATA_TRY(RootMount root, mount_root(container_));
    STRATA_TRY(const auto user, resolve_user_in(root.mount.get(), record.user));
    oci::Spec spec = make_spec(record, user, container_.files());
    STRATA_CHECK(write_network_files(record, container_.files()));
    Streams streams;
    CommandEnds ends;
    if (!record.terminal) {
      STRATA_TRY(ends, make_pipes(record.open_stdin, streams));
    }
    STRATA_TRY(auto cgroup, make_cgroup(container_, spec.linux.resources));
    Undo undo;
    undo.add([&] { (void)cgroup.remove(); });
    // A terminal gets its size before the program looks at it.
    STRATA_TRY(auto launched, linux::launch({.spec = &spec,
                                             .root_mount = root.mount.get(),
                                             .cgroup = &cgroup,
                                             .network = &network,
                                             .run_at_once = !record.terminal,
                                             .stdio = ends.stdio(),
                                             .seccomp = linux::default_seccomp_filter()}));
    root.mount.reset();
    ends = {};
    if (record.terminal) {
      STRATA_TRY(streams, take_terminal(launched, options_.size));
    }
    if (auto started = launched.start(); !started) {
      status_ = status_of_exec_failure(started.error().code);
      return std::unexpected(std::move(started).error());
    }
    undo.release();
    made_sources.release();
    return RunningProgram{std::move(spec), std::move(cgroup), std::move(launched),
                          std::move(streams)};
  }

  // The shell's status for the failure of run().
  [[nodiscard]] int status() const { return status_; }

 private:
  const Container& container_;
  const StartOptions& options_;
  int status_ = kRuntimeFailed;
};

}  // namespace

std::expected<RunningProgram, StartFailure> set_up(const Container& container,
                                                   const StartOptions& options) {
  Setup setup(container, options);
  auto program = setup.run();
  if (program) return *std::move(program);
  return std::unexpected(StartFailure{setup.status(), std::move(program).error()});
}

}  // namespace strata::container
