// The guest's kernel: Debian's cloud kernel, taken out of its package into the store's
// vm/kernels/<version>/ and never installed:
//
//   vmlinux   the kernel as an ELF file (bzimage.h)
//   modules/  the modules that initramfs.h names, with their dependencies, and modules.builtin
//   package   name and version of the package that it came from, one line
//
// A directory there is whole: it was made in tmp/, synced and renamed.
//
// Thread rule: functions are independent; several processes may fetch at once.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/image/store.h"
#include "unionfs/base/result.h"

namespace strata::vm {

struct Kernel {
  std::string version;            // "6.1.0-56-cloud-amd64"
  std::filesystem::path image;    // vmlinux or a bzImage
  std::filesystem::path modules;  // where its modules lie
  std::string package;            // "linux-image-6.1.0-56-cloud-amd64 6.1.192-2"; may be empty
};

// Told what is being done, before anything that may take longer than a moment.
using Report = std::function<void(std::string_view what)>;

// The kernels in the store, newest version first.
[[nodiscard]] Result<std::vector<Kernel>> list_kernels(const image::Store& store);

// The newest of them.
[[nodiscard]] Result<std::optional<Kernel>> find_kernel(const image::Store& store);

// The kernel that Debian's linux-image-cloud-amd64 stands for now, downloaded with apt-get unless
// the store has it already. Errors name the remedy (no apt-get, no package lists, no network).
[[nodiscard]] Result<Kernel> fetch_kernel(const image::Store& store, const Report& report);

// Puts the kernel of a linux-image package into the store.
[[nodiscard]] Result<Kernel> unpack_kernel(const image::Store& store,
                                           const std::filesystem::path& deb,
                                           std::string_view package);

// A kernel of the caller's own: an ELF file or bzImage, and a directory that holds its modules.
[[nodiscard]] Result<Kernel> custom_kernel(const std::filesystem::path& image,
                                           const std::filesystem::path& modules);

}  // namespace strata::vm
