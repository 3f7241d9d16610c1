#include "unionfs/engine/origins.h"

#include <fcntl.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

namespace strata::unionfs::engine {
namespace {

// fs/overlayfs/overlayfs.h: struct ovl_fb. The handle follows.
struct [[gnu::packed]] Header {
  uint8_t version = 0;
  uint8_t magic = 0xfb;
  uint8_t length = 0;  // of this and the handle
  uint8_t flags = 0;
  uint8_t type = 0;
  sys::Uuid uuid{};
};
static_assert(sizeof(Header) == 21);

constexpr uint8_t kBigEndian = 1;
constexpr uint8_t kAnyEndian = 2;
constexpr uint8_t kOfUpper = 4;
constexpr uint8_t kOurEndian = std::endian::native == std::endian::big ? kBigEndian : 0;

std::optional<Header> parse(std::string_view note) {
  Header header;
  if (note.size() < sizeof header) return std::nullopt;
  std::memcpy(&header, note.data(), sizeof header);
  const Header expected;
  if (header.version != expected.version || header.magic != expected.magic ||
      header.length != note.size() || (header.flags & ~(kBigEndian | kAnyEndian | kOfUpper)) != 0)
    return std::nullopt;
  if ((header.flags & kAnyEndian) == 0 && (header.flags & kBigEndian) != kOurEndian)
    return std::nullopt;
  return header;
}

}  // namespace

Result<Origins> Origins::of(const LayerStack& stack, int upper) {
  struct stat upper_status {};
  if (::fstat(upper, &upper_status) < 0) return fail_errno("stat the upper layer");
  Origins origins;
  for (size_t i = 0; i < stack.size(); ++i) {
    struct stat status {};
    if (::fstat(stack.fd(i), &status) < 0)
      return fail_errno("stat layer " + stack.path(i).string());
    if (origins.of_device(status.st_dev) != nullptr) continue;
    FileSystem added;
    added.device = status.st_dev;
    added.mount.reset(::openat(stack.fd(i), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!added.mount) return fail_errno("open layer " + stack.path(i).string());
    added.uuid = sys::file_system_uuid(added.mount.get());
    origins.file_systems_.push_back(std::move(added));
  }
  // fs/overlayfs/super.c: ovl_lower_uuid_ok. The upper layer's own file system is always known.
  for (FileSystem& one : origins.file_systems_) {
    if (one.device == upper_status.st_dev) continue;
    one.is_distinct = one.uuid != sys::Uuid{} &&
                      std::ranges::count(origins.file_systems_, one.uuid, &FileSystem::uuid) == 1;
  }
  return origins;
}

const Origins::FileSystem* Origins::of_device(dev_t device) const {
  const auto found = std::ranges::find(file_systems_, device, &FileSystem::device);
  return found == file_systems_.end() ? nullptr : &*found;
}

std::string Origins::note_of(int fd, const struct stat& status) const {
  const FileSystem* on = of_device(status.st_dev);
  const auto handle = sys::handle_of(fd);
  if (on == nullptr || !on->uuid || !handle) return {};
  const Header header{.length = static_cast<uint8_t>(sizeof(Header) + handle->bytes.size()),
                      .flags = kOurEndian,
                      .type = handle->type,
                      .uuid = *on->uuid};
  return std::string(reinterpret_cast<const char*>(&header), sizeof header) + handle->bytes;
}

std::optional<struct stat> Origins::find(std::string_view note) const {
  const auto header = parse(note);
  if (!header) return std::nullopt;
  const sys::FileHandle handle{header->type, std::string(note.substr(sizeof *header))};
  for (const FileSystem& candidate : file_systems_) {
    if (!candidate.is_distinct || candidate.uuid != header->uuid) continue;
    const UniqueFd fd = sys::open_by_handle(candidate.mount.get(), handle);
    struct stat status {};
    if (fd && ::fstat(fd.get(), &status) == 0) return status;
  }
  return std::nullopt;
}

}  // namespace strata::unionfs::engine
