// The guest's disk: an image's merged tree as one read-only EROFS image.

#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "runtime/vm/vm.h"
#include "unionfs/base/file.h"
#include "unionfs/base/subprocess.h"
#include "unionfs/base/undo.h"
#include "unionfs/layer_stack.h"
#include "unionfs/overlay.h"

namespace strata::vm {
namespace {

// What is mounted from here on is seen by us and our children alone, and gone with us.
Result<void> enter_private_mounts() {
  if (::unshare(CLONE_NEWNS) < 0) return fail_errno("enter a mount namespace of our own");
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) < 0)
    return fail_errno("make mounts private");
  return {};
}

}  // namespace

Result<std::filesystem::path> find_disk(const image::Store& store, const image::Image& image) {
  const auto disks = store.vm_dir() / "disks";
  const auto disk = disks / (image.id.substr(image.id.find(':') + 1) + ".erofs");
  struct stat st {};
  if (::stat(disk.c_str(), &st) == 0) return disk;
  if (!find_program("mkfs.erofs"))
    return fail(ENOENT, "mkfs.erofs is not installed (Debian package erofs-utils)");

  STRATA_CHECK(make_dirs(disks));
  STRATA_CHECK(make_dirs(store.tmp_dir()));
  STRATA_TRY(const auto work, make_temp_dir(store.tmp_dir(), "disk-"));
  Undo undo;
  undo.add([&] { (void)remove_tree(work); });
  const auto merged = work / "merged";
  STRATA_CHECK(make_dirs(merged));
  STRATA_CHECK(enter_private_mounts());
  {
    STRATA_TRY(const auto lock, store.lock_shared());
    STRATA_TRY(const auto stack, unionfs::LayerStack::open(image.trees_top_first()));
    STRATA_TRY(const UniqueFd mount, unionfs::mount_overlay(stack, std::nullopt));
    STRATA_CHECK(unionfs::attach_mount(mount.get(), merged));
    const auto made =
        run_checked({.argv = {"mkfs.erofs", "--quiet", (work / "disk").string(), merged.string()}});
    ::umount2(merged.c_str(), MNT_DETACH);
    if (!made) return fail_in("make a disk of the image", made.error());
  }
  if (::rename((work / "disk").c_str(), disk.c_str()) < 0)
    return fail_errno("rename to " + disk.string());
  return disk;
}

}  // namespace strata::vm
