// Starting `strata vm run`, for the targets that are virtual machines. Private to targets/.
//
// Thread rule: main thread.
#pragma once

#include <string>
#include <vector>

#include "bench/workload.h"
#include "unionfs/base/result.h"

namespace strata::bench {

// What is the same for every boot of a target.
struct VmCommand {
  std::string strata;
  std::string machine;  // "microvm" or "q35"
  std::string image;
  std::vector<std::string> command;  // in the image

  // Its command line, with `options` of `strata vm run`.
  [[nodiscard]] std::vector<std::string> argv(const Workload& workload,
                                              const std::vector<std::string>& options) const;
};

struct VmFacts {
  std::string accelerator;
  std::string note;     // which accelerator and why, a sentence
  std::string version;  // of QEMU and of the guest's kernel
};

// A first boot, in no sample, makes what is made once (kernel, disk) and says which accelerator it
// got: software emulation must never pass for a hardware VM.
[[nodiscard]] Result<VmFacts> boot_once(const VmCommand& command, const Workload& workload);

}  // namespace strata::bench
