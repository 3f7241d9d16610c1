// `bubblewrap`: the unprivileged sandbox tool (here run by root, so without a user namespace).

#include <optional>

#include "bench/targets/common.h"
#include "bench/targets/targets.h"

namespace strata::bench {
namespace {

class Bubblewrap final : public TargetDriver {
 public:
  Bubblewrap()
      : TargetDriver({.name = "bubblewrap",
                      .kind = "container",
                      .description =
                          "bwrap with new ipc, pid, network, uts and cgroup namespaces over a "
                          "union of the image's layers that is already mounted; its own /proc and "
                          "/dev. No cgroup, no seccomp filter, no /sys, no log, no new upper layer "
                          "for each start."}) {}

  std::optional<std::string> unavailable() const override { return lacks_program("bwrap"); }

  Result<void> setup(const Workload& workload) override {
    const auto dir = workload.scratch / "bubblewrap";
    const auto program = find_program("bwrap").value_or("bwrap");
    version_ = version_of(program);
    STRATA_TRY(view_, rootfs_view(workload, dir));
    launch_.argv = {program,
                    "--unshare-ipc",
                    "--unshare-pid",
                    "--unshare-net",
                    "--unshare-uts",
                    "--unshare-cgroup",
                    "--bind",
                    dir / "rootfs",
                    "/",
                    "--proc",
                    "/proc",
                    "--dev",
                    "/dev",
                    "--chdir",
                    workload.image.working_dir,
                    "--"};
    const auto command = workload.full_command();
    launch_.argv.insert(launch_.argv.end(), command.begin(), command.end());
    launch_.env = workload.image.env;
    launch_.mount_namespace = view_->file();
    launch_.expected_output = workload.output;
    return {};
  }

  Launch launch() const override { return launch_; }

 private:
  std::optional<MountView> view_;
  Launch launch_;
};

}  // namespace

std::unique_ptr<TargetDriver> make_bubblewrap() {
  return std::make_unique<Bubblewrap>();
}

}  // namespace strata::bench
