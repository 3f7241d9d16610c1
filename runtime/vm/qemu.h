// QEMU's command line for a guest. A pure function: what is run is decided here alone.
//
// For the .cc files of this folder.
#pragma once

#include <string>
#include <vector>

#include "runtime/vm/vm.h"

namespace strata::vm {

// Descriptors that QEMU inherits.
struct QemuFiles {
  int initramfs = -1;
  int out = -1, err = -1, status = -1;  // ends of pipes to write to
  int console = -1;                     // the kernel's console
};

[[nodiscard]] std::vector<std::string> qemu_command_line(const Request& request,
                                                         const std::string& program,
                                                         const QemuFiles& files);

}  // namespace strata::vm
