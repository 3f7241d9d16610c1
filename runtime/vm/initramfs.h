// The guest's initramfs: init, the modules in their order, and what to run.
//
// For the .cc files of this folder.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "runtime/vm/vm.h"
#include "unionfs/base/result.h"
#include "unionfs/base/unique_fd.h"

namespace strata::vm {

// What init/init.c reads: NUL-terminated fields. EINVAL for a word with a NUL in it, E2BIG for more
// than init takes.
[[nodiscard]] Result<std::string> encode_command(const Command& command);

// File names of the modules that a machine needs, in the order of loading; a name that the kernel
// has built in is not among its modules.
[[nodiscard]] std::vector<std::string> modules_for(Machine machine,
                                                   const std::filesystem::path& modules);

// A cpio archive (newc, initramfs-buffer-format.rst) in an anonymous file, rewound.
[[nodiscard]] Result<UniqueFd> make_initramfs(const Request& request,
                                              const std::filesystem::path& init);

}  // namespace strata::vm
