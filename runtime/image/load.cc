#include "runtime/image/archive_spool.h"
#include "runtime/image/ingest.h"
#include "runtime/image/load_formats.h"

namespace strata::image {

Result<std::vector<Image>> load_archive(const Store& store, ByteSource& archive,
                                        const LoadOptions& options) {
  STRATA_TRY(Staging staging, Staging::create(store));
  STRATA_TRY(const ArchiveSpool spool,
             ArchiveSpool::read(staging, archive, options.limits, options.report));
  STRATA_TRY(const StagedFile* oci, spool.find("index.json"));
  STRATA_TRY(const StagedFile* docker, spool.find("manifest.json"));
  if (oci == nullptr && docker == nullptr)
    return fail(EINVAL,
                "neither an OCI archive (index.json) nor a docker-archive (manifest.json); a root "
                "file system tar is for 'strata import'");
  // Newer docker writes both; the OCI side keeps the digests.
  STRATA_TRY(const auto digests, oci != nullptr ? stage_oci_archive(staging, spool, options)
                                                : stage_docker_archive(staging, spool, options));
  STRATA_CHECK(staging.publish());
  std::vector<Image> images;
  for (const auto& digest : digests) {
    STRATA_TRY(Image image, store.get(digest));
    images.push_back(std::move(image));
  }
  return images;
}

}  // namespace strata::image
