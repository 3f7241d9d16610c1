// `kvm-floor`: programs/kvm_floor.cc, the least that a VM can be.

#include <fcntl.h>

#include "bench/targets/common.h"
#include "bench/targets/targets.h"
#include "unionfs/base/file.h"

namespace strata::bench {
namespace {

class KvmFloor final : public TargetDriver {
 public:
  explicit KvmFloor(std::string program)
      : TargetDriver({.name = "kvm-floor",
                      .kind = "vm",
                      .description =
                          "The least that a virtual machine monitor can do with KVM: a VM with one "
                          "page of memory and one CPU runs three instructions, which write one "
                          "byte, and ends. It boots no kernel and runs no command of the image."}),
        program_(std::move(program)) {}

  std::optional<std::string> unavailable() const override {
    if (program_.empty()) return "strata-bench-kvm-floor was not found";
    if (const auto kvm = open_file("/dev/kvm", O_RDWR); !kvm) return kvm.error().what;
    return std::nullopt;
  }

  Result<void> setup(const Workload& /*workload*/) override {
    accelerator_ = "kvm";
    launch_.argv = {program_};
    launch_.env = tool_environment();
    launch_.expected_output = "s";
    return {};
  }

  Launch launch() const override { return launch_; }

 private:
  std::string program_;
  Launch launch_;
};

}  // namespace

std::unique_ptr<TargetDriver> make_kvm_floor(const OwnPrograms& programs) {
  return std::make_unique<KvmFloor>(programs.kvm_floor);
}

}  // namespace strata::bench
