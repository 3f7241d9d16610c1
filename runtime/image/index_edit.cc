#include "runtime/image/index_edit.h"

#include <fcntl.h>
#include <sys/file.h>

#include <algorithm>

#include "runtime/image/layout.h"
#include "unionfs/base/file.h"

namespace strata::image {
namespace {

bool has_manifest(const Index& index, std::string_view digest) {
  return std::any_of(index.begin(), index.end(),
                     [&](const IndexEntry& e) { return e.target.digest == digest; });
}

}  // namespace

void add_image(Index& index, const IndexEntry& entry) {
  if (!has_manifest(index, entry.target.digest)) index.push_back(entry);
}

void set_name(Index& index, const IndexEntry& entry, const std::string& name) {
  [[maybe_unused]] const bool moved = drop_name(index, name);
  IndexEntry named = entry;
  named.annotations[kRefName] = name;
  // The image's entry without a name has had its day.
  const auto unnamed = std::find_if(index.begin(), index.end(), [&](const IndexEntry& e) {
    return e.target.digest == entry.target.digest && e.annotation(kRefName).empty();
  });
  if (unnamed != index.end()) {
    *unnamed = std::move(named);
  } else {
    index.push_back(std::move(named));
  }
}

bool drop_name(Index& index, const std::string& name) {
  const auto it = std::find_if(index.begin(), index.end(),
                               [&](const IndexEntry& e) { return e.annotation(kRefName) == name; });
  if (it == index.end()) return false;
  IndexEntry entry = std::move(*it);
  index.erase(it);
  entry.annotations.erase(kRefName);
  add_image(index, entry);
  return true;
}

void remove_manifest(Index& index, std::string_view manifest_digest) {
  std::erase_if(index, [&](const IndexEntry& e) { return e.target.digest == manifest_digest; });
}

Result<void> update_index(const Store& store, const std::function<Result<void>(Index&)>& change) {
  // index.json itself is replaced by rename, so its directory carries the lock.
  STRATA_TRY(const UniqueFd dir, open_file(store.layout_dir(), O_RDONLY | O_DIRECTORY));
  while (::flock(dir.get(), LOCK_EX) < 0)
    if (errno != EINTR) return fail_errno("lock " + store.layout_dir().string());
  STRATA_TRY(Index index, read_index(store));
  STRATA_CHECK(change(index));
  return write_file_atomic(store.layout_dir() / "index.json", index_to_json(index));
}

}  // namespace strata::image
