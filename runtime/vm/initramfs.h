// The guest's initramfs, made anew for each boot (it takes a few milliseconds) in memory: init, and
// the kernel modules that it loads.
//
//   init             init/, linked into this library
//   modules/channel  names of the modules for the channel to the host, in loading order
//   modules/root     names of those for the root file system
//   modules/*        the modules
//
// Thread rule: functions are independent.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/vm/kernel.h"
#include "runtime/vm/machine.h"
#include "unionfs/base/result.h"
#include "unionfs/base/unique_fd.h"

namespace strata::vm {

// What a machine's guest needs beyond its kernel.
[[nodiscard]] std::vector<std::string> channel_modules(Machine machine);
[[nodiscard]] std::vector<std::string> root_modules();
// The same for all machines together.
[[nodiscard]] std::vector<std::string> all_modules();

// The archive, uncompressed: unpacking would cost the guest more than it saves.
[[nodiscard]] Result<std::string> make_initramfs(const Kernel& kernel, Machine machine);

// The archive as a file in memory, sealed, at its start.
[[nodiscard]] Result<UniqueFd> make_initramfs_file(const Kernel& kernel, Machine machine);

// The init program, an ELF file.
[[nodiscard]] std::string_view init_program();

}  // namespace strata::vm
