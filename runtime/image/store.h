// The image store, read side: small and quick, for programs that start containers. What writes
// is in ingest.h, save.h and maintain.h, with the heavy libraries. STORE.md tells the format.
//
// Under the store's root:
//   images/            an OCI image layout (oci-layout, index.json, blobs/sha256/…); names are
//                      org.opencontainers.image.ref.name annotations in index.json
//   layers/<hex>/      unpacked layers by the digits of their diff_id, one copy however many
//                      images share one; a directory here is whole: it was unpacked in tmp/, synced
//                      and renamed
//   containers/<id>/   one directory a container
//   union/             what presenters of unions keep for stacks of layers (unionfs/presenter.h):
//   may
//                      be removed at any time, it is made again
//   vm/                kernels, disks and verdicts of the VM baseline
//   tmp/               work in progress (workspace.h); whatever is there without a live owner is
//                      refuse
//   lock               flock(2): shared while an image is being put to use, exclusive while
//                      something is removed
//
// Crash safety: blobs and layers appear by rename and are never changed; index.json is replaced
// atomically and names only what is complete. Kill anything anywhere: the store is whole.
//
// Thread rule: a Store may be shared; all state is on disk.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/image/image.h"
#include "unionfs/base/result.h"
#include "unionfs/base/unique_fd.h"

namespace strata::image {

// Held while its owner lives.
class StoreLock {
 public:
  explicit StoreLock(UniqueFd fd) : fd_(std::move(fd)) {}

 private:
  UniqueFd fd_;
};

struct IndexEntry;

class Store {
 public:
  // Opens the store, creating its directories if they are not there.
  [[nodiscard]] static Result<Store> open(std::filesystem::path root);

  // Opens a store that is there: ENOENT, with the remedy, if it is not. For what is of no use on a
  // new one, where a mistyped root would look like an empty store.
  [[nodiscard]] static Result<Store> open_existing(std::filesystem::path root);

  // Looks up "name", "name:tag" (tag defaults to "latest"), "sha256:…" (image or manifest digest),
  // or an unambiguous prefix of at least 4 digits of an image ID. Absence is nullopt; an ambiguous
  // prefix is EINVAL.
  [[nodiscard]] Result<std::optional<Image>> find(std::string_view reference) const;

  // find(), with absence as ENOENT: "no image 'web' in /var/lib/strata; …remedy…".
  [[nodiscard]] Result<Image> get(std::string_view reference) const;

  // get() for who makes a container from the image: names, blobs and sizes are left out.
  [[nodiscard]] Result<Image> get_runnable(std::string_view reference) const;

  // All images, newest first.
  [[nodiscard]] Result<std::vector<Image>> list() const;

  // Waits for the lock. Hold the shared one from get() until the use is on record in containers/.
  [[nodiscard]] Result<StoreLock> lock_shared() const;
  [[nodiscard]] Result<StoreLock> lock_exclusive() const;

  [[nodiscard]] const std::filesystem::path& root() const { return root_; }
  [[nodiscard]] std::filesystem::path layout_dir() const { return root_ / "images"; }
  [[nodiscard]] std::filesystem::path blob_path(std::string_view digest) const;
  [[nodiscard]] std::filesystem::path layers_dir() const { return root_ / "layers"; }
  [[nodiscard]] std::filesystem::path layer_path(std::string_view diff_id) const;
  [[nodiscard]] std::filesystem::path containers_dir() const { return root_ / "containers"; }
  [[nodiscard]] std::filesystem::path union_dir() const { return root_ / "union"; }
  [[nodiscard]] std::filesystem::path vm_dir() const { return root_ / "vm"; }
  [[nodiscard]] std::filesystem::path tmp_dir() const { return root_ / "tmp"; }

 private:
  // Reads the image behind the entry of the index that the reference leads to.
  using ReadImage = Result<Image> (*)(const Store&, const std::vector<IndexEntry>&,
                                      const IndexEntry&);
  [[nodiscard]] Result<std::optional<Image>> find(std::string_view reference, ReadImage read) const;

  explicit Store(std::filesystem::path root) : root_(std::move(root)) {}
  std::filesystem::path root_;
};

}  // namespace strata::image
