// A kernel module as a file: what it says of itself, and its bytes as we load them.
//
// Thread rule: pure functions and plain values.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "unionfs/base/result.h"

namespace strata::vm {

struct Module {
  std::string name;                  // "virtio_blk": as the kernel writes it, '_' and not '-'
  std::vector<std::string> depends;  // modules that must be loaded before
  std::string content;               // the ELF file, unpacked and without signature
};

// The name of the module in the file `path` ("crc32c-intel.ko.xz" holds crc32c_intel); empty for
// files that are no modules.
[[nodiscard]] std::string module_name(const std::filesystem::path& path);

// Reads a module, compressed or not. Its signature is left off: checking one costs a guest under
// software emulation 3 ms a module, and a kernel that doesn't enforce signatures loads it all the
// same.
[[nodiscard]] Result<Module> read_module(const std::filesystem::path& path);

// The values of `key` in the .modinfo section of the ELF file `elf` (what modinfo(8) shows).
// EINVAL: not a 64-bit ELF file, or a damaged one.
[[nodiscard]] Result<std::vector<std::string>> module_info(std::string_view elf,
                                                           std::string_view key,
                                                           std::string_view name);

}  // namespace strata::vm
