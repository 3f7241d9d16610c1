// Kernel modules made by hand: ELF files with nothing but what a module says of itself.
#pragma once

#include <string>
#include <vector>

namespace strata::testing {

// A 64-bit ELF file whose .modinfo section holds these entries ("depends=a,b").
[[nodiscard]] std::string module_file(const std::vector<std::string>& modinfo);

// The same with a signature behind it, as scripts/sign-file.c appends it.
[[nodiscard]] std::string signed_module_file(const std::vector<std::string>& modinfo);

}  // namespace strata::testing
