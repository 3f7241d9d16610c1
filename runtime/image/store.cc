#include "runtime/image/store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "runtime/image/digest.h"
#include "runtime/image/layout.h"
#include "runtime/image/reference.h"
#include "unionfs/base/file.h"

namespace strata::image {
namespace {

constexpr size_t kMinPrefix = 4;

// Only root (or the store's owner) may look into the layers: they hold set-user-ID programs whose
// owners inside a container are not the host's.
constexpr mode_t kPrivate = 0700;
constexpr mode_t kRootMode = 0711;

Result<StoreLock> lock_store(const std::filesystem::path& root, int operation) {
  constexpr mode_t kLockMode = 0600;
  STRATA_TRY(UniqueFd fd, open_file(root / "lock", O_RDWR | O_CREAT, kLockMode));
  while (::flock(fd.get(), operation) < 0)
    if (errno != EINTR) return fail_errno("lock " + root.string());
  return StoreLock(std::move(fd));
}

// The first entry for which `matches` holds.
template <class Matches>
const IndexEntry* first_entry(const std::vector<IndexEntry>& index, Matches matches) {
  const auto it = std::find_if(index.begin(), index.end(), matches);
  return it != index.end() ? &*it : nullptr;
}

const IndexEntry* entry_by_name(const std::vector<IndexEntry>& index, const std::string& name) {
  return first_entry(index, [&](const IndexEntry& e) { return e.annotation(kRefName) == name; });
}

// Looks an ID up by a prefix of its digits, or a manifest by its full digest.
Result<const IndexEntry*> entry_by_digits(const Store& store, const std::vector<IndexEntry>& index,
                                          std::string_view digits) {
  const IndexEntry* found = nullptr;
  std::string found_id;
  for (const auto& entry : index) {
    STRATA_TRY(std::string id, image_id_of(store, entry));
    if (!digest_hex(id).starts_with(digits)) continue;
    if (found == nullptr) {
      found = &entry;
      found_id = std::move(id);
    } else if (id != found_id) {
      std::string what = "'" + std::string(digits) + "' is ambiguous: images ";
      return fail(EINVAL, what.append(found_id).append(" and ").append(id) + " start with it");
    }
  }
  if (found != nullptr) return found;
  return first_entry(index,
                     [&](const IndexEntry& e) { return digest_hex(e.target.digest) == digits; });
}

std::unexpected<Error> no_image(const std::filesystem::path& root, std::string_view reference) {
  return fail(ENOENT, "no image '" + std::string(reference) + "' in " + root.string() +
                          "; 'strata images' lists what is there, 'strata import' and 'strata "
                          "load' bring images in");
}

}  // namespace

Result<Store> Store::open(std::filesystem::path root) {
  Store store(std::move(root));
  // oci-layout is made last: where it stands, so does the rest, and opening costs one look.
  const auto marker = store.layout_dir() / "oci-layout";
  if (::access(marker.c_str(), F_OK) == 0) return store;
  STRATA_CHECK(make_dirs(store.root(), kRootMode));
  for (const auto& dir : {store.layout_dir(), store.layers_dir(), store.containers_dir(),
                          store.vm_dir(), store.tmp_dir()})
    STRATA_CHECK(make_dirs(dir, kPrivate));
  STRATA_CHECK(make_dirs(store.layout_dir() / "blobs/sha256", kPrivate));
  STRATA_CHECK(fsync_dir(store.root()));
  STRATA_CHECK(fsync_dir(store.layout_dir() / "blobs"));
  STRATA_CHECK(write_file_atomic(marker, R"({"imageLayoutVersion":"1.0.0"})"));
  return store;
}

Result<Store> Store::open_existing(std::filesystem::path root) {
  // A store that is half made, or half lost, is one: open() completes it.
  const Store store(root);
  if (::access(store.layout_dir().c_str(), F_OK) == 0) return open(std::move(root));
  const std::string where = store.root().string();
  if (errno != ENOENT && errno != ENOTDIR) return fail_errno("look at the store " + where);
  return fail(ENOENT, "there is no store in " + where +
                          ": 'strata import' or 'strata load' makes one; --root or $STRATA_ROOT "
                          "says where another one is");
}

std::filesystem::path Store::blob_path(std::string_view digest) const {
  return layout_dir() / "blobs/sha256" / digest_hex(digest);
}

std::filesystem::path Store::layer_path(std::string_view diff_id) const {
  return layers_dir() / digest_hex(diff_id);
}

Result<std::optional<Image>> Store::find(std::string_view reference, ReadImage read) const {
  STRATA_TRY(const auto index, read_index(*this));
  const IndexEntry* entry = nullptr;
  const bool by_digest = reference.starts_with(kSha256Prefix);
  const std::string_view digits = by_digest ? reference.substr(kSha256Prefix.size()) : reference;
  const bool are_digits =
      is_hex(digits) && digits.size() >= kMinPrefix && digits.size() <= kSha256Hex;
  if (by_digest && !are_digits)
    return fail(EINVAL, "'" + std::string(reference) + "' is not a digest or the start of one");
  if (!by_digest) {
    STRATA_TRY(const Reference name, parse_reference(reference));
    entry = entry_by_name(index, name.str());
  }
  if (entry == nullptr && are_digits) {
    STRATA_TRY(entry, entry_by_digits(*this, index, digits));
  }
  if (entry == nullptr) return std::optional<Image>();
  STRATA_TRY(Image image, read(*this, index, *entry));
  return std::optional(std::move(image));
}

Result<std::optional<Image>> Store::find(std::string_view reference) const {
  return find(reference, read_image);
}

Result<Image> Store::get(std::string_view reference) const {
  STRATA_TRY(auto image, find(reference, read_image));
  return image ? Result<Image>(*std::move(image)) : no_image(root_, reference);
}

Result<Image> Store::get_runnable(std::string_view reference) const {
  STRATA_TRY(auto image, find(reference, [](const Store& store, const auto&, const auto& entry) {
               return read_runnable_image(store, entry);
             }));
  return image ? Result<Image>(*std::move(image)) : no_image(root_, reference);
}

Result<std::vector<Image>> Store::list() const {
  STRATA_TRY(const auto index, read_index(*this));
  std::vector<Image> images;
  std::vector<std::string_view> seen;
  for (const auto& entry : index) {
    const std::string_view digest = entry.target.digest;
    if (std::find(seen.begin(), seen.end(), digest) != seen.end()) continue;
    seen.push_back(digest);
    STRATA_TRY(Image image, read_image(*this, index, entry));
    images.push_back(std::move(image));
  }
  // RFC 3339 times in UTC, as all builders write them, sort as text.
  std::stable_sort(images.begin(), images.end(), [](const Image& a, const Image& b) {
    return a.config.created > b.config.created;
  });
  return images;
}

Result<StoreLock> Store::lock_shared() const {
  return lock_store(root_, LOCK_SH);
}

Result<StoreLock> Store::lock_exclusive() const {
  return lock_store(root_, LOCK_EX);
}

}  // namespace strata::image
