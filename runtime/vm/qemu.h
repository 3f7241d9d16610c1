// QEMU's command line for a guest, as a value. Pure but for what says otherwise.
//
// Thread rule: functions may be called from any thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "runtime/vm/kernel.h"
#include "runtime/vm/machine.h"
#include "unionfs/base/result.h"

namespace strata::vm {

// What the machine is made of.
struct Hardware {
  Machine machine = Machine::kMicrovm;
  Accelerator accelerator = Accelerator::kTcg;
  uint64_t memory_mib = 512;
  unsigned cpus = 1;
};

// Descriptors that QEMU inherits, at these numbers.
inline constexpr int kChannelFd = 3;    // a connected socket: the channel of protocol.h
inline constexpr int kConsoleFd = 4;    // a connected socket: the guest's serial console
inline constexpr int kInitramfsFd = 5;  // a file

struct QemuPlan {
  Hardware hardware;
  std::filesystem::path kernel;               // ELF or bzImage
  std::optional<std::filesystem::path> disk;  // none: the guest stays in its initramfs
  bool verbose = false;                       // all kernel messages on the console, not only errors
  std::optional<uint64_t> tsc_khz;            // see kernel_command_line()
};

inline constexpr const char* kQemu = "qemu-system-x86_64";

[[nodiscard]] std::vector<std::string> qemu_command_line(const QemuPlan& plan);

// The kernel's command line. Under software emulation it leaves out what only costs time there;
// each word has its reason beside it in qemu.cc. `tsc_khz` is the rate of the guest's time stamp
// counter, which under TCG is the host's: a guest left to measure it against an emulated timer
// sometimes fails, and then hangs.
[[nodiscard]] std::string kernel_command_line(const QemuPlan& plan);

// The rate of this machine's time stamp counter, measured for 2 ms; nullopt where there is none.
[[nodiscard]] std::optional<uint64_t> measure_tsc_khz();

// The first line of `qemu-system-x86_64 --version`. Starts QEMU: 30 ms.
[[nodiscard]] Result<std::string> qemu_version();

// Which QEMU this is, without starting it: path, size and time of change of the program.
[[nodiscard]] Result<std::string> qemu_identity();

}  // namespace strata::vm
