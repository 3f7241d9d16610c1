// The kinds of machine and of execution that a guest can have. Plain values.
#pragma once

#include <string_view>

namespace strata::vm {

enum class Machine {
  kMicrovm,  // QEMU's minimal machine: virtio-mmio, no PCI, no BIOS but a tiny one
  kQ35,      // a usual PC: PCIe, SeaBIOS
};

// What runs the guest's instructions.
enum class Accelerator {
  kKvm,  // the CPU, by hardware virtualization
  kTcg,  // QEMU's software emulation: says nothing about what a hardware VM costs
};

[[nodiscard]] constexpr std::string_view to_string(Machine machine) {
  return machine == Machine::kMicrovm ? "microvm" : "q35";
}

[[nodiscard]] constexpr std::string_view to_string(Accelerator accelerator) {
  return accelerator == Accelerator::kKvm ? "kvm" : "tcg";
}

}  // namespace strata::vm
