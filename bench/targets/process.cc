// `process`: the same program from the same files, without any isolation.

#include <optional>

#include "bench/targets/common.h"
#include "bench/targets/targets.h"

namespace strata::bench {
namespace {

class Process final : public TargetDriver {
 public:
  Process()
      : TargetDriver({.name = "process",
                      .kind = "process",
                      .description =
                          "The command as an ordinary process: spawned (vfork and exec) with the "
                          "image as its root directory (chroot before the clock starts), from the "
                          "same union of layers as the containers. No isolation."}) {}

  std::optional<std::string> unavailable() const override { return std::nullopt; }

  Result<void> setup(const Workload& workload) override {
    const auto dir = workload.scratch / "process";
    STRATA_TRY(view_, rootfs_view(workload, dir));
    launch_.argv = workload.full_command();
    launch_.env = workload.image.env;
    launch_.root = dir / "rootfs";
    launch_.directory = workload.image.working_dir;
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

std::unique_ptr<TargetDriver> make_process() {
  return std::make_unique<Process>();
}

}  // namespace strata::bench
