#include "unionfs/index/segment.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cstring>
#include <utility>

#include "unionfs/base/file.h"

namespace strata::unionfs::index {
namespace {

std::unexpected<Error> damaged(const std::filesystem::path& path, const char* why) {
  return fail(EBADMSG, "index segment " + path.string() + ": " + why);
}

}  // namespace

Checksum checksum_of(std::span<const std::byte> segment) {
  Header header;
  std::memcpy(&header, segment.data(), sizeof header);
  header.checksum = {};
  XXH3_state_t state;
  XXH3_128bits_reset(&state);
  XXH3_128bits_update(&state, &header, sizeof header);
  XXH3_128bits_update(&state, segment.data() + sizeof header, segment.size() - sizeof header);
  const XXH128_hash_t hash = XXH3_128bits_digest(&state);
  return {hash.low64, hash.high64};
}

Result<void> Segment::verify(const std::filesystem::path& name) const {
  if (bytes_.size() < sizeof(Header)) return damaged(name, "cut off");
  if (header().magic != kMagic) return damaged(name, "not an index");
  if (header().version != kVersion) return damaged(name, "of another version");
  if (header().file_size != bytes_.size()) return damaged(name, "cut off");
  if (header().segment > Ref::kMaxSegment || header().file_size > Ref::kMaxOffset)
    return damaged(name, "beyond the limits of the format");
  if (checksum_of(bytes_) != header().checksum) return damaged(name, "its checksum is wrong");
  return {};
}

Result<std::shared_ptr<const Segment>> Segment::from(std::vector<std::byte> bytes,
                                                     const std::filesystem::path& name) {
  const std::shared_ptr<Segment> segment(new Segment);
  segment->owned_ = std::move(bytes);
  segment->bytes_ = segment->owned_;
  STRATA_CHECK(segment->verify(name));
  return segment;
}

Result<std::shared_ptr<const Segment>> Segment::open(const std::filesystem::path& path) {
  STRATA_TRY(const UniqueFd fd, open_file(path, O_RDONLY | O_NOFOLLOW));
  struct stat st {};
  if (::fstat(fd.get(), &st) < 0) return fail_errno("stat " + path.string());
  if (!S_ISREG(st.st_mode) || st.st_size == 0) return damaged(path, "cut off");
  const auto size = static_cast<size_t>(st.st_size);
  void* at = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd.get(), 0);
  if (at == MAP_FAILED) return fail_errno("map " + path.string());
  const std::shared_ptr<Segment> segment(new Segment);
  segment->bytes_ = {static_cast<const std::byte*>(at), size};
  STRATA_CHECK(segment->verify(path));
  return segment;
}

Segment::~Segment() {
  if (owned_.empty() && !bytes_.empty())
    ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

const Header& Segment::header() const {
  return *reinterpret_cast<const Header*>(bytes_.data());
}

}  // namespace strata::unionfs::index
