#include "unionfs/files/copy_content.h"

#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "unionfs/files/read_attributes.h"

namespace strata::unionfs {
namespace {

Result<void> write_all(int to, const char* data, size_t size, off_t at) {
  while (size > 0) {
    const ssize_t written = ::pwrite(to, data, size, at);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return fail_errno("write the copy");
    data += written;
    size -= static_cast<size_t>(written);
    at += written;
  }
  return {};
}

Result<void> copy_by_reading(int from, int to, Extent extent) {
  std::vector<char> buffer(std::min<uint64_t>(extent.length, uint64_t{256} << 10));
  while (extent.length > 0) {
    const size_t want = std::min<uint64_t>(extent.length, buffer.size());
    const auto at = static_cast<off_t>(extent.offset);
    const ssize_t got = ::pread(from, buffer.data(), want, at);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno("read what is copied");
    if (got == 0) return {};  // it became shorter
    STRATA_CHECK(write_all(to, buffer.data(), static_cast<size_t>(got), at));
    extent.offset += static_cast<uint64_t>(got);
    extent.length -= static_cast<uint64_t>(got);
  }
  return {};
}

bool is_not_for_these_files(int code) {
  return code == EXDEV || code == EINVAL || code == EOPNOTSUPP || code == ENOSYS;
}

Result<void> copy_extent(int from, int to, Extent extent) {
  while (extent.length > 0) {
    auto in = static_cast<off_t>(extent.offset);
    off_t out = in;
    const ssize_t copied = ::copy_file_range(from, &in, to, &out, extent.length, 0);
    if (copied < 0 && errno == EINTR) continue;
    if (copied < 0 && is_not_for_these_files(errno)) return copy_by_reading(from, to, extent);
    if (copied < 0) return fail_errno("copy the content");
    if (copied == 0) return copy_by_reading(from, to, extent);
    extent.offset += static_cast<uint64_t>(copied);
    extent.length -= static_cast<uint64_t>(copied);
  }
  return {};
}

}  // namespace

Result<void> copy_content(int from, int to) {
  if (::ioctl(to, FICLONE, from) == 0) return {};
  struct stat status {};
  if (::fstat(from, &status) < 0) return fail_errno("stat what is copied");
  STRATA_TRY(std::vector<Extent> extents, read_extents(from, status));
  if (extents.empty()) extents.push_back({0, static_cast<uint64_t>(status.st_size)});
  if (::ftruncate(to, status.st_size) < 0) return fail_errno("set the size of the copy");
  for (const Extent& extent : extents) STRATA_CHECK(copy_extent(from, to, extent));
  return {};
}

}  // namespace strata::unionfs
