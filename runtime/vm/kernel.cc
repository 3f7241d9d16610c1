// The guest's kernel: Debian's package, unpacked into the store.

#include <stdio.h>

#include "runtime/vm/vm.h"
#include "unionfs/base/file.h"
#include "unionfs/base/subprocess.h"
#include "unionfs/base/undo.h"

namespace strata::vm {
namespace {

constexpr const char* kPackage = "linux-image-cloud-amd64";
constexpr const char* kPrefix = "linux-image-";

std::optional<Kernel> newest_in(const std::filesystem::path& dir) {
  std::optional<Kernel> newest;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(dir, error)) {
    const auto version = entry.path().filename().string();
    if (version.front() == '.' || (newest && version < newest->version)) continue;
    newest = Kernel{version, entry.path() / "vmlinuz", entry.path() / "modules"};
  }
  return newest;
}

// The package that the meta package stands for: "linux-image-6.1.0-56-cloud-amd64".
Result<std::string> real_package() {
  STRATA_TRY(const auto done, run_checked({.argv = {"apt-cache", "depends", kPackage}}));
  const auto at = done.out.find(std::string("Depends: ") + kPrefix);
  if (at == std::string::npos)
    return fail(ENOENT, "apt knows no " + std::string(kPackage) + "; run 'apt-get update'");
  const auto name = done.out.substr(at + 9);
  return name.substr(0, name.find('\n'));
}

Result<void> move_file(const std::filesystem::path& from, const std::filesystem::path& to) {
  if (::rename(from.c_str(), to.c_str()) < 0)
    return fail_errno("move " + from.string() + " to " + to.string());
  return {};
}

// Keeps vmlinuz and every virtio and file system module of the unpacked package.
Result<void> collect(const std::filesystem::path& package, const std::string& version,
                     const std::filesystem::path& kernel) {
  STRATA_CHECK(make_dirs(kernel / "modules"));
  STRATA_CHECK(move_file(package / "boot" / ("vmlinuz-" + version), kernel / "vmlinuz"));
  const auto modules = package / "lib/modules" / version / "kernel";
  for (const char* part : {"drivers/virtio", "drivers/block", "drivers/char", "fs/erofs",
                           "fs/overlayfs", "lib", "crypto"}) {
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(modules / part, error))
      if (entry.path().extension() == ".ko")
        STRATA_CHECK(move_file(entry.path(), kernel / "modules" / entry.path().filename()));
  }
  return {};
}

Result<void> fetch(const image::Store& store) {
  for (const char* tool : {"apt-get", "dpkg-deb"})
    if (!find_program(tool))
      return fail(ENOENT, std::string("the VM's kernel comes from a Debian package and '") + tool +
                              "' is not here; unpack a " + kPackage + " into " +
                              (store.vm_dir() / "kernel/VERSION").string() +
                              "/{vmlinuz,modules/*.ko}");
  STRATA_CHECK(make_dirs(store.tmp_dir()));
  STRATA_TRY(const auto work, make_temp_dir(store.tmp_dir(), "kernel-"));
  Undo undo;
  undo.add([&] { (void)remove_tree(work); });
  STRATA_TRY(const std::string package, real_package());
  auto download =
      run_checked({.argv = {"apt-get", "-q", "-o", "APT::Sandbox::User=root", "download", package},
                   .directory = work.string(),
                   .timeout = std::chrono::minutes(5)});
  if (!download) return fail_in("fetch the VM's kernel", download.error());
  STRATA_CHECK(run_checked(
      {.argv = {"sh", "-c", "exec dpkg-deb -x *.deb package"}, .directory = work.string()}));
  const auto version = package.substr(std::string(kPrefix).size());
  STRATA_CHECK(collect(work / "package", version, work / "kernel"));
  const auto kernels = store.vm_dir() / "kernel";
  STRATA_CHECK(make_dirs(kernels));
  if (std::filesystem::exists(kernels / version)) return {};  // another was quicker
  return move_file(work / "kernel", kernels / version);
}

}  // namespace

Result<Kernel> find_kernel(const image::Store& store) {
  const auto kernels = store.vm_dir() / "kernel";
  auto kernel = newest_in(kernels);
  if (!kernel) {
    STRATA_CHECK(fetch(store));
    kernel = newest_in(kernels);
  }
  if (!kernel) return fail(ENOENT, "no kernel in " + kernels.string());
  return *kernel;
}

}  // namespace strata::vm
