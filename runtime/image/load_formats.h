// The two kinds of image archive. Each stages all images of the archive. Private to runtime/image.
#pragma once

#include <string>
#include <vector>

#include "runtime/image/archive_spool.h"
#include "runtime/image/ingest.h"
#include "runtime/image/staging.h"
#include "unionfs/base/result.h"

namespace strata::image {

// Both return the digests of the staged manifests, each once, in the archive's order.

// index.json and blobs/ (image-spec, image-layout.md).
[[nodiscard]] Result<std::vector<std::string>> stage_oci_archive(Staging& staging,
                                                                 const ArchiveSpool& spool,
                                                                 const LoadOptions& options);

// manifest.json, configurations and layer tars (moby, image/tarexport).
[[nodiscard]] Result<std::vector<std::string>> stage_docker_archive(Staging& staging,
                                                                    const ArchiveSpool& spool,
                                                                    const LoadOptions& options);

}  // namespace strata::image
