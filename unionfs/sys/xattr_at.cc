#include "unionfs/sys/xattr_at.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <string>

namespace strata::unionfs::sys {
namespace {

// Newer than the headers of Debian 12; the same on all architectures (since Linux 5.1, but alpha).
constexpr long kGetxattrat = 464;
constexpr long kListxattrat = 465;

struct XattrArgs {  // include/uapi/linux/xattr.h: struct xattr_args
  alignas(8) uint64_t value;
  uint32_t size;
  uint32_t flags;
};

std::atomic<bool> is_missing{false};

// Whether the kernel (or a seccomp filter around us) doesn't know the call.
bool is_unknown(ssize_t result) {
  if (result >= 0 || errno != ENOSYS) return false;
  is_missing.store(true, std::memory_order_relaxed);
  return true;
}

std::string proc_path(int directory, const char* name) {
  return "/proc/self/fd/" + std::to_string(directory) + "/" + name;
}

}  // namespace

ssize_t list_xattr_at(int directory, const char* name, char* list, size_t size) {
  if (!is_missing.load(std::memory_order_relaxed)) {
    const ssize_t result =
        ::syscall(kListxattrat, directory, name, AT_SYMLINK_NOFOLLOW, list, size);
    if (!is_unknown(result)) return result;
  }
  return ::llistxattr(proc_path(directory, name).c_str(), list, size);
}

ssize_t get_xattr_at(int directory, const char* name, const char* xattr, void* value, size_t size) {
  if (!is_missing.load(std::memory_order_relaxed)) {
    XattrArgs args{.value = reinterpret_cast<uintptr_t>(value),
                   .size = static_cast<uint32_t>(size),
                   .flags = 0};
    const ssize_t result =
        ::syscall(kGetxattrat, directory, name, AT_SYMLINK_NOFOLLOW, xattr, &args, sizeof args);
    if (!is_unknown(result)) return result;
  }
  return ::lgetxattr(proc_path(directory, name).c_str(), xattr, value, size);
}

}  // namespace strata::unionfs::sys
