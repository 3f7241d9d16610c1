#include "unionfs/flat.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "unionfs/base/file.h"
#include "unionfs/erofs/format.h"
#include "unionfs/erofs/writer.h"
#include "unionfs/files/proc_path.h"
#include "unionfs/flat_data.h"

namespace strata::unionfs {
namespace {

using index::Checksum;
using std::filesystem::path;

constexpr uint64_t kMagic = 0x3174616c66727473;  // "strflat1"

// What we note in the part of an image that EROFS leaves to boot loaders.
struct FlatHeader {
  uint64_t magic = kMagic;
  uint64_t size = 0;             // of the image
  Checksum checksum;             // XXH3-128 of the image with this field zero
  Checksum layers;               // what the layers were (layers_of)
  std::array<char, 960> data{};  // the data layer; "" are the layers themselves
};
static_assert(sizeof(FlatHeader) <= erofs::kSuperOffset);

Checksum checksum_of(const XXH128_hash_t& hash) {
  return {hash.low64, hash.high64};
}

// A checksum fed in parts.
class Hash {
 public:
  Hash() { XXH3_128bits_reset(&state_); }
  void add(const void* data, size_t size) { XXH3_128bits_update(&state_, data, size); }
  void add(std::string_view text) {
    add(text.data(), text.size());
    add("", 1);
  }
  [[nodiscard]] Checksum value() const { return checksum_of(XXH3_128bits_digest(&state_)); }

 private:
  XXH3_state_t state_;
};

// The name of a stack's image: its layers' paths. So a layer made anew at the same place takes the
// place of its old image, too.
std::string file_name(std::span<const path> top_first) {
  Hash hash;
  for (const path& layer : top_first) {
    // Relative paths mean different layers in different directories.
    hash.add(layer.is_absolute() ? layer.native() : std::filesystem::absolute(layer).native());
  }
  const Checksum sum = hash.value();
  std::array<char, 40> name{};
  std::snprintf(name.data(), name.size(), "%016llx%016llx.erofs",
                static_cast<unsigned long long>(sum.high),
                static_cast<unsigned long long>(sum.low));
  return name.data();
}

std::vector<path> paths_of(const LayerStack& stack) {
  std::vector<path> paths;
  paths.reserve(stack.size());
  for (size_t i = 0; i < stack.size(); ++i) paths.push_back(stack.path(i));
  return paths;
}

// What tells layers from others that stood at the same place before.
Result<Checksum> layers_of(const LayerStack& stack) {
  Hash hash;
  for (size_t i = 0; i < stack.size(); ++i) {
    struct stat st {};
    if (::fstat(stack.fd(i), &st) < 0) return fail_errno("stat layer " + stack.path(i).string());
    const std::array<uint64_t, 3> facts = {st.st_ino, static_cast<uint64_t>(st.st_ctim.tv_sec),
                                           static_cast<uint64_t>(st.st_ctim.tv_nsec)};
    hash.add(facts.data(), sizeof facts);
  }
  return hash.value();
}

// The header of a whole image.
std::optional<FlatHeader> read_image(int file) {
  constexpr size_t kChunk = size_t{64} << 10;  // stays in the processor's cache
  alignas(FlatHeader) std::array<char, kChunk> chunk;
  FlatHeader header;
  Hash hash;
  uint64_t size = 0;
  for (;;) {
    const ssize_t got = ::pread(file, chunk.data(), chunk.size(), static_cast<off_t>(size));
    if (got < 0) return std::nullopt;
    if (got == 0) break;
    if (size == 0) {
      if (static_cast<size_t>(got) < sizeof header) return std::nullopt;
      std::memcpy(&header, chunk.data(), sizeof header);
      if (header.magic != kMagic || header.data.back() != '\0') return std::nullopt;
      FlatHeader without = header;
      without.checksum = {};
      std::memcpy(chunk.data(), &without, sizeof without);
    }
    hash.add(chunk.data(), static_cast<size_t>(got));
    size += static_cast<uint64_t>(got);
  }
  if (size == 0 || size != header.size || hash.value() != header.checksum) return std::nullopt;
  return header;
}

// Of an image that was read whole since the machine was booted, and not written to after that: the
// boot, and the time of its last change.
constexpr char kVerifiedXattr[] = "trusted.strata.verified";

std::string verified_note(int file) {
  struct stat st {};
  const auto boot = read_file("/proc/sys/kernel/random/boot_id");
  if (!boot || ::fstat(file, &st) < 0) return {};
  return *boot + std::to_string(st.st_mtim.tv_sec) + "." + std::to_string(st.st_mtim.tv_nsec);
}

// The header of an image, which is read whole the first time after a boot only.
std::optional<FlatHeader> read_known_image(int file) {
  const std::string note = verified_note(file);
  std::array<char, 128> known{};
  const ssize_t size = ::fgetxattr(file, kVerifiedXattr, known.data(), known.size());
  FlatHeader header;
  if (!note.empty() && size > 0 &&
      std::string_view(known.data(), static_cast<size_t>(size)) == note &&
      ::pread(file, &header, sizeof header, 0) == sizeof header)
    return header;
  auto read = read_image(file);
  // Without the note it is read whole again.
  if (read) (void)::fsetxattr(file, kVerifiedXattr, note.data(), note.size(), 0);
  return read;
}

FlatImage make_image(path file, UniqueFd fd, const FlatHeader& header,
                     std::span<const path> top_first) {
  FlatImage image{.path = std::move(file), .file = std::move(fd)};
  if (header.data.front() == '\0')
    image.data.assign(top_first.begin(), top_first.end());
  else
    image.data.emplace_back(header.data.data());
  return image;
}

// A whole image, made of `layers`.
std::optional<FlatImage> open_image(path file, std::span<const path> top_first,
                                    const Checksum& layers) {
  auto fd = open_file(file, O_RDONLY | O_NOFOLLOW);
  if (!fd) return std::nullopt;
  const auto header = read_image(fd->get());
  if (!header || header->layers != layers) return std::nullopt;
  return make_image(std::move(file), *std::move(fd), *header, top_first);
}

// Whether the layers are still in the data layer of their image: the directory that they are in may
// have been moved, and be reached by the same paths all the same.
bool is_below(const path& data, const LayerStack& stack) {
  std::error_code error;
  const path layer = std::filesystem::read_symlink(proc_path(stack.fd(0)), error);
  return !error && std::ranges::mismatch(data, layer).in1 == data.end();
}

// Whether an image is what an index would be written as.
bool has_identity(int file, const Checksum& identity) {
  Checksum uuid;
  return ::pread(file, &uuid, sizeof uuid,
                 erofs::kSuperOffset + offsetof(erofs::SuperBlock, uuid)) == sizeof uuid &&
         uuid == identity;
}

void put_header(std::vector<std::byte>& image, FlatHeader header) {
  header.size = image.size();
  std::memcpy(image.data(), &header, sizeof header);
  header.checksum = checksum_of(XXH3_128bits(image.data(), image.size()));
  std::memcpy(image.data(), &header, sizeof header);
}

Result<void> write_flat(const path& file, const LayerStack& stack, const index::Index& index,
                        const Checksum& layers) {
  STRATA_TRY(FlatData data, flat_data(stack));
  FlatHeader header{.layers = layers};
  const std::string& shared = data.directories.front().native();
  if (shared.size() >= header.data.size())
    return fail(ENAMETOOLONG, "the path of the layers' directory is too long: " + shared);
  if (data.is_shared)
    std::ranges::copy(shared, header.data.begin());
  else
    STRATA_CHECK(check_unambiguous(stack, index));
  const erofs::ImageOptions options{
      .layer_roots = std::move(data.layer_roots),
      .read = [&](const index::Record& small) { return read_content(stack, small); }};
  STRATA_TRY(std::vector<std::byte> image, erofs::write_image(index, options));
  put_header(image, header);
  return write_file_atomic(file, {reinterpret_cast<const char*>(image.data()), image.size()},
                           Durability::kAtomic, 0600);
}

}  // namespace

std::optional<FlatImage> find_flat(const LayerStack& stack, const path& cache) {
  const auto layers = layers_of(stack);
  if (!layers) return std::nullopt;
  const auto paths = paths_of(stack);
  auto image = open_image(cache / file_name(paths), paths, *layers);
  if (image && image->data != paths && !is_below(image->data.front(), stack)) return std::nullopt;
  return image;
}

std::optional<FlatImage> find_flat(std::span<const path> top_first, const path& cache) {
  path file = cache / file_name(top_first);
  auto fd = open_file(file, O_RDONLY | O_NOFOLLOW);
  if (!fd) return std::nullopt;
  const auto header = read_known_image(fd->get());
  if (!header) return std::nullopt;
  return make_image(std::move(file), *std::move(fd), *header, top_first);
}

Result<FlatImage> prepare_flat(const LayerStack& stack, const index::Index& index,
                               const path& cache) {
  if (auto found = find_flat(stack, cache);
      found && has_identity(found->file.get(), index.identity()))
    return *std::move(found);
  const auto paths = paths_of(stack);
  const path file = cache / file_name(paths);
  STRATA_TRY(const Checksum layers, layers_of(stack));
  STRATA_CHECK(make_dirs(cache, 0700));
  if (auto written = write_flat(file, stack, index, layers); !written)
    return fail_in("flat image of " + stack.path(0).string(), std::move(written).error());
  auto image = open_image(file, paths, layers);
  if (!image) return fail(EIO, "the flat image " + file.string() + " does not read as written");
  image->is_new = true;
  return *std::move(image);
}

}  // namespace strata::unionfs
