#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "runtime/vm/init/guest.h"

namespace strata::vm::guest {
namespace {

constexpr const char* kDisk = "/dev/vda";

void mount_at(const char* source, const char* target, const char* type, unsigned long flags,
              const char* data) {
  if (::mkdir(target, 0755) < 0 && errno != EEXIST) fail(kOurFailure, {"mount ", target}, errno);
  if (::mount(source, target, type, flags, data) < 0) fail(kOurFailure, {"mount ", target}, errno);
}

// In the image: a mount point that can't be made (a file stands there) is the image's own affair.
void mount_inside(const char* source, const char* target, const char* type, unsigned long flags,
                  const char* data) {
  (void)::mkdir(target, 0755);
  (void)::mount(source, target, type, flags, data);
}

}  // namespace

void mount_devices() {
  (void)::mkdir("/dev", 0755);
  (void)::mount("devtmpfs", "/dev", "devtmpfs", MS_NOSUID, "mode=0755");
  int fd = 0;
  do {
    fd = ::open("/dev/null", O_RDWR);
  } while (fd >= 0 && fd < STDERR_FILENO);
  if (fd > STDERR_FILENO) ::close(fd);
}

void mount_root() {
  mount_at(kDisk, "/image", "erofs", MS_RDONLY, nullptr);
  mount_at("tmpfs", "/scratch", "tmpfs", 0, "mode=0755");
  for (const char* dir : {"/scratch/upper", "/scratch/work"})
    if (::mkdir(dir, 0755) < 0) fail(kOurFailure, {"make ", dir}, errno);
  mount_at("overlay", "/root", "overlay", 0,
           "lowerdir=/image,upperdir=/scratch/upper,workdir=/scratch/work");

  if (::chdir("/root") < 0) fail(kOurFailure, {"enter the image"}, errno);
  // /dev moves along; the image need not have the directory.
  (void)::mkdir("dev", 0755);
  if (::mount("/dev", "dev", nullptr, MS_MOVE, nullptr) < 0)
    fail(kOurFailure, {"move /dev"}, errno);
  // The initramfs can't be pivoted away from (pivot_root(2)): the image is moved over it.
  if (::mount(".", "/", nullptr, MS_MOVE, nullptr) < 0 || ::chroot(".") < 0 || ::chdir("/") < 0)
    fail(kOurFailure, {"make the image the root"}, errno);

  constexpr unsigned long kNone = MS_NOSUID | MS_NODEV | MS_NOEXEC;
  mount_inside("proc", "/proc", "proc", kNone, nullptr);
  mount_inside("sysfs", "/sys", "sysfs", kNone, nullptr);
  mount_inside("devpts", "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC,
               "newinstance,ptmxmode=0666,mode=0620,gid=5");
  mount_inside("tmpfs", "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777");
  (void)::symlink("/proc/self/fd", "/dev/fd");
  (void)::symlink("/proc/self/fd/0", "/dev/stdin");
  (void)::symlink("/proc/self/fd/1", "/dev/stdout");
  (void)::symlink("/proc/self/fd/2", "/dev/stderr");
}

}  // namespace strata::vm::guest
