// `floor`: programs/floor.cc, the least work that makes a container.

#include "bench/targets/common.h"
#include "bench/targets/targets.h"
#include "unionfs/base/file.h"

namespace strata::bench {
namespace {

class Floor final : public TargetDriver {
 public:
  explicit Floor(std::string program)
      : TargetDriver({.name = "floor",
                      .kind = "container",
                      .description =
                          "The least work that makes an isolated container: one clone into new "
                          "mount, pid, network, ipc, uts and cgroup namespaces, an overlay of the "
                          "image's layers, /proc, a minimal /dev, pivot_root, exec. No cgroup, no "
                          "seccomp filter, all capabilities, nothing on record."}),
        program_(std::move(program)) {}

  std::optional<std::string> unavailable() const override {
    return program_.empty() ? std::optional<std::string>("strata-bench-floor was not found")
                            : std::nullopt;
  }

  Result<void> setup(const Workload& workload) override {
    const auto dir = workload.scratch / "floor";
    STRATA_CHECK(make_dirs(dir / "upper"));
    work_ = dir / "work";
    launch_.argv = {program_, dir / "upper", work_};
    for (const auto& layer : workload.image.layers) launch_.argv.push_back(layer.string());
    launch_.argv.emplace_back("--");
    const auto command = workload.full_command();
    launch_.argv.insert(launch_.argv.end(), command.begin(), command.end());
    launch_.env = workload.image.env;
    launch_.expected_output = workload.output;
    return {};
  }

  // A volatile overlay leaves a mark in its work directory against being mounted again
  // (Documentation/filesystems/overlayfs.rst, "Volatile mount").
  Result<void> prepare() override {
    STRATA_CHECK(remove_tree(work_));
    return make_dirs(work_);
  }

  Launch launch() const override { return launch_; }

 private:
  std::string program_;
  std::filesystem::path work_;
  Launch launch_;
};

}  // namespace

std::unique_ptr<TargetDriver> make_floor(const OwnPrograms& programs) {
  return std::make_unique<Floor>(programs.floor);
}

}  // namespace strata::bench
