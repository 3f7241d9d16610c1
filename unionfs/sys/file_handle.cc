#include "unionfs/sys/file_handle.h"

#include <fcntl.h>
#include <sys/ioctl.h>

#include <algorithm>

namespace strata::unionfs::sys {
namespace {

// include/uapi/linux/fs.h
struct FsUuid {
  uint8_t length;
  uint8_t bytes[16];
};
constexpr unsigned long kGetFsUuid = _IOR(0x15, 0, FsUuid);

// A file_handle with room for what any file system needs.
struct HandleBuffer {
  alignas(::file_handle) std::array<char, sizeof(::file_handle) + MAX_HANDLE_SZ> space{};

  [[nodiscard]] ::file_handle* header() { return reinterpret_cast<::file_handle*>(space.data()); }
  [[nodiscard]] char* bytes() { return space.data() + sizeof(::file_handle); }
};

}  // namespace

std::optional<FileHandle> handle_of(int fd) {
  HandleBuffer buffer;
  buffer.header()->handle_bytes = MAX_HANDLE_SZ;
  int mount_id = 0;
  if (::name_to_handle_at(fd, "", buffer.header(), &mount_id, AT_EMPTY_PATH) < 0)
    return std::nullopt;
  return FileHandle{static_cast<uint8_t>(buffer.header()->handle_type),
                    {buffer.bytes(), buffer.header()->handle_bytes}};
}

UniqueFd open_by_handle(int mount, const FileHandle& handle) {
  HandleBuffer buffer;
  if (handle.bytes.size() > MAX_HANDLE_SZ) return {};
  buffer.header()->handle_bytes = static_cast<unsigned>(handle.bytes.size());
  buffer.header()->handle_type = handle.type;
  std::ranges::copy(handle.bytes, buffer.bytes());
  return UniqueFd(::open_by_handle_at(mount, buffer.header(), O_PATH | O_CLOEXEC));
}

std::optional<Uuid> file_system_uuid(int fd) {
  FsUuid uuid{};
  if (::ioctl(fd, kGetFsUuid, &uuid) < 0 || uuid.length != sizeof uuid.bytes) return std::nullopt;
  return std::to_array(uuid.bytes);
}

}  // namespace strata::unionfs::sys
