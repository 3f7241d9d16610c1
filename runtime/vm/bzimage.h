// The ELF file inside of a kernel's bzImage (Documentation/arch/x86/boot.rst). QEMU starts it
// directly by the PVH entry that it carries (XEN_ELFNOTE_PHYS32_ENTRY, CONFIG_PVH), and the guest
// need not decompress itself: 0.3 s of a boot under software emulation.
//
// Thread rule: pure.
#pragma once

#include <string>
#include <string_view>

#include "unionfs/base/result.h"

namespace strata::vm {

// EINVAL: not a bzImage of boot protocol 2.08 or later; EBADMSG: its payload can't be decompressed.
[[nodiscard]] Result<std::string> extract_vmlinux(std::string_view bzimage, std::string_view name);

}  // namespace strata::vm
