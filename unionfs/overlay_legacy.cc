#include "unionfs/overlay_legacy.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "unionfs/base/file.h"
#include "unionfs/sys/mount_api.h"

namespace strata::unionfs {
namespace {

// A directory opened in the calling thread's mount namespace: overlayfs takes layers from no other
// (fs/namespace.c: clone_private_mount).
Result<UniqueFd> reopen(const std::filesystem::path& path, int same_as) {
  STRATA_TRY(UniqueFd fd, open_file(path, O_PATH | O_DIRECTORY));
  struct stat here {
  }, there{};
  if (::fstat(fd.get(), &here) < 0 || ::fstat(same_as, &there) < 0)
    return fail_errno("stat " + path.string());
  if (here.st_dev != there.st_dev || here.st_ino != there.st_ino)
    return fail(ESTALE, "layer " + path.string() + " was moved while it was in use");
  return fd;
}

// The directories of a mount, held open, and the option string that names them by number.
struct LegacyOptions {
  std::vector<UniqueFd> directories;
  std::string text = "redirect_dir=nofollow,metacopy=off,index=off,lowerdir=";

  void name(UniqueFd directory) {
    text += std::to_string(directory.get());
    directories.push_back(std::move(directory));
  }
};

Result<LegacyOptions> legacy_options(const LayerStack& stack, const std::optional<Upper>& upper,
                                     const OverlayOptions& options) {
  LegacyOptions made;
  for (size_t i = 0; i < stack.size(); ++i) {
    if (i > 0) made.text += ':';
    STRATA_TRY(UniqueFd layer, reopen(stack.path(i), stack.fd(i)));
    made.name(std::move(layer));
  }
  if (!upper) return made;
  made.text += ",upperdir=";
  STRATA_TRY(UniqueFd upper_fd, open_file(upper->upper, O_PATH | O_DIRECTORY));
  made.name(std::move(upper_fd));
  made.text += ",workdir=";
  STRATA_TRY(UniqueFd work_fd, open_file(upper->work, O_PATH | O_DIRECTORY));
  made.name(std::move(work_fd));
  if (options.is_volatile) made.text += ",volatile";
  return made;
}

// mount(2) attaches what it mounts, and a detached mount has to be copied from there. So it happens
// in a mount namespace that nobody else sees and that dies with the calling thread (unshare(2)
// gives the thread its own working directory, too). /proc serves as the mount point: it is surely
// there, and the names of the layers are resolved from a directory below what is being covered.
Result<UniqueFd> mount_unseen(const LayerStack& stack, const std::optional<Upper>& upper,
                              const OverlayOptions& options) {
  if (::unshare(CLONE_NEWNS) < 0) return fail_errno("unshare the mount namespace");
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) < 0)
    return fail_errno("make mounts private");
  STRATA_TRY(const LegacyOptions made, legacy_options(stack, upper, options));
  if (::chdir("/proc/self/fd") < 0) return fail_errno("chdir /proc/self/fd");
  const unsigned long flags = upper ? 0 : MS_RDONLY;
  if (::mount("overlay", "/proc", "overlay", flags, made.text.c_str()) < 0)
    return fail_errno("mount(2) with " + made.text);
  return sys::clone_mount("/proc");
}

}  // namespace

Result<UniqueFd> mount_overlay_legacy(const LayerStack& stack, const std::optional<Upper>& upper,
                                      const OverlayOptions& options) {
  Result<UniqueFd> mount = fail(ECANCELED, "the mounting thread did not run");
  std::thread([&] { mount = mount_unseen(stack, upper, options); }).join();
  return mount;
}

}  // namespace strata::unionfs
