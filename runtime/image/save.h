// Images out of the store, as archives that other engines load.
//
// Thread rule: functions are independent. The store's lock is held shared meanwhile, so that what
// is being written can't be removed.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runtime/image/codec.h"
#include "runtime/image/ingest.h"
#include "runtime/image/store.h"
#include "unionfs/base/result.h"
#include "unionfs/base/stream.h"

namespace strata::image {

enum class ArchiveFormat {
  kOci,     // image-layout in a tar
  kDocker,  // what `docker save` wrote before it spoke OCI: manifest.json and layer tars
};

// "oci" or "docker"; anything else is EINVAL.
[[nodiscard]] Result<ArchiveFormat> parse_format(std::string_view text);

struct SaveOptions {
  ArchiveFormat format = ArchiveFormat::kOci;
  // Nothing said: OCI layers as they are in the store (digests stay), docker layers plain.
  std::optional<Compression> compression;
  Report report;
};

// Writes the images that the references name, one copy of what they share. A reference by name is
// written with this name, one by digest with all the names of its image. ENOENT if one is not
// there; EBADMSG if a blob is not what its digest says.
[[nodiscard]] Result<void> save_images(const Store& store,
                                       const std::vector<std::string>& references, ByteSink& out,
                                       const SaveOptions& options = {});

}  // namespace strata::image
