// An image as a disk: the merged tree of its layers as a read-only EROFS file system in
// vm/disks/<image ID>.erofs of the store, made by mkfs.erofs(1) once and uncompressed (a guest
// under software emulation decompresses slowly).
//
// Crash safety: made in tmp/, synced and renamed. Two that want the same disk make it once: the
// directory is locked (flock(2)) meanwhile.
//
// Thread rule: make_disk() forks: call from a single-threaded process.
#pragma once

#include <filesystem>

#include "runtime/image/image.h"
#include "runtime/image/store.h"
#include "runtime/vm/kernel.h"
#include "unionfs/base/result.h"

namespace strata::vm {

[[nodiscard]] std::filesystem::path disk_path(const image::Store& store, const image::Image& image);

// The image's disk, made if it isn't there. Takes the store's shared lock while it reads layers,
// so the caller must not hold the exclusive one. Disks of images that the store no longer has are
// removed on the way.
[[nodiscard]] Result<std::filesystem::path> make_disk(const image::Store& store,
                                                      const image::Image& image,
                                                      const Report& report);

}  // namespace strata::vm
