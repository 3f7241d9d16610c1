// OCI layer tars to layer directories and back (image-spec, layer.md).
//
//   tar                            layer directory (overlayfs)
//   .wh.NAME                       character device 0:0 called NAME
//   .wh..wh..opq in DIR            trusted.overlay.opaque=y on DIR
//   hard link                      hard link
//   PAX SCHILY.xattr.*             extended attributes (but none of overlayfs's own)
//   GNU/PAX sparse                 holes
//
// FORMAT.md has the whole table and the deviations.
//
// Tars are hostile until proven otherwise. Refused with EINVAL, naming the entry: absolute names
// and `..` components, names that run through a symbolic link or a non-directory, hard links whose
// target lies outside the layer, whiteouts with a bad name, devices 0:0, damaged and cut off tars.
// Refused with ENAMETOOLONG: names that no path can hold. Refused with EFBIG: more entries or bytes
// than the limits allow. After an error the directory holds a partial layer: the caller throws it
// away.
//
// Thread rule: functions are independent; one layer directory has one user at a time.
#pragma once

#include <cstdint>
#include <filesystem>

#include "unionfs/base/result.h"
#include "unionfs/base/stream.h"

namespace strata::unionfs {

struct UnpackOptions {
  uint64_t max_bytes = uint64_t{1} << 40;  // sum of the files' apparent sizes
  uint64_t max_entries = 10'000'000;
};

struct LayerStats {
  uint64_t entries = 0;    // all entries of the tar or tree, whiteouts and opaque markers included
  uint64_t bytes = 0;      // content of regular files
  uint64_t whiteouts = 0;  // whiteouts and opaque markers
};

// Reads an uncompressed tar to its end (also beyond the end-of-archive blocks, so that a digest
// over `source` covers every byte) into the empty directory `layer`. REQUIRES: root privileges
// (owners, devices) and /proc.
[[nodiscard]] Result<LayerStats> unpack_layer(ByteSource& source,
                                              const std::filesystem::path& layer,
                                              const UnpackOptions& options = {});

// Writes the layer directory as a PAX tar, depth first, each directory's entries in byte order of
// their names: the same tree gives the same bytes. Sockets are left out (a tar cannot hold them).
// EINVAL, naming the file, for what a tar cannot say; EBUSY if a file changes while it is read.
[[nodiscard]] Result<LayerStats> pack_layer(const std::filesystem::path& layer, ByteSink& sink);

// Writes a merged tree (not a layer) as a tar: `export`. Whiteout devices are EINVAL there, mounts
// below `root` EXDEV.
[[nodiscard]] Result<LayerStats> pack_tree(const std::filesystem::path& root, ByteSink& sink);

}  // namespace strata::unionfs
