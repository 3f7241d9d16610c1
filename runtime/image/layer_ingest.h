// One layer into the staging area: digested in both forms, stored as a blob, unpacked as a tree.
//
// Private to runtime/image. Thread rule: one user at a time.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "runtime/image/codec.h"
#include "runtime/image/ingest.h"
#include "runtime/image/staging.h"
#include "unionfs/base/result.h"

namespace strata::image {

struct StagedLayer {
  Descriptor blob;
  std::string diff_id;
};

// How a layer's bytes are read.
struct LayerInput {
  std::string what;  // for messages and progress: "layer 3 of 7"
  Accept accept = Accept::kLayer;
  Limits limits;
  Report report;
};

// A tar in any accepted form becomes a layer; its blob is compressed anew. With `expected`, a
// different diff_id is EBADMSG.
[[nodiscard]] Result<StagedLayer> ingest_tar(Staging& staging, ByteSource& tar,
                                             Compression compression, const LayerInput& input,
                                             const std::optional<std::string>& expected = {});

// A file that is a layer's blob already, whose digest and size were verified; it is kept as it is.
// A different diff_id is EBADMSG.
[[nodiscard]] Result<StagedLayer> ingest_blob(Staging& staging, const StagedFile& file,
                                              std::string_view media_type,
                                              const std::string& diff_id, const LayerInput& input);

// Unpacks a layer's blob into the directory `tree`, which is made, and returns the bytes of its
// files. EBADMSG if what was unpacked is not `diff_id`; then the tree is to be thrown away.
[[nodiscard]] Result<uint64_t> unpack_blob(const std::filesystem::path& blob,
                                           const std::filesystem::path& tree,
                                           const std::string& diff_id, const LayerInput& input);

}  // namespace strata::image
