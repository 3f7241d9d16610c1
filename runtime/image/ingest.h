// What brings images into the store: import, load, commit. Taking them out is save.h, looking
// after the store is maintain.h.
//
// Each of these either adds a whole image or changes nothing: work is done aside (staging.h), and
// digests of everything that comes with one are verified. Errors name the object: EBADMSG for
// content that is not what its digest or size promises or that is damaged, EINVAL for documents
// and archives that are malformed or try tricks, EFBIG for what breaks a limit, ENOTSUP for what
// is valid but not supported, ESTALE if something that was shared was removed meanwhile (trying
// again helps), EINTR after a signal under an InterruptGuard.
//
// Thread rule: functions are independent; several processes may work on one store.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/image/codec.h"
#include "runtime/image/image.h"
#include "runtime/image/store.h"
#include "unionfs/base/result.h"
#include "unionfs/base/stream.h"

namespace strata::image {

// How much a stranger's archive may ask for. Real images stay far below.
struct Limits {
  uint64_t max_layer_bytes = uint64_t{64} << 30;     // a layer, uncompressed
  uint64_t max_entries = 4'000'000;                  // files in a layer
  uint64_t max_archive_bytes = uint64_t{256} << 30;  // all files of an archive
  uint64_t max_members = 200'000;                    // files in an archive
  // A layer larger than `ratio_from` that decompresses to more than `max_ratio` times its size is
  // taken for a decompression bomb.
  uint64_t max_ratio = 200;
  uint64_t ratio_from = uint64_t{1} << 30;
};

// Told now and then what is going on and how far it got: "layer 2 of 5, 42.1 MB".
using Report = std::function<void(std::string_view)>;

// What a new image says of itself.
struct Authoring {
  std::string author;
  std::string message;               // the comment in its history
  std::vector<std::string> changes;  // Dockerfile instructions (config_change.h)
};

struct ImportOptions {
  std::optional<std::string> base;  // the tar becomes a layer on top of this image
  Authoring authoring;
  Compression compression = Compression::kZstd;
  Limits limits;
  Report report;
};

// A root file system tar, compressed or not, becomes an image called `name`. `source` says in its
// history where the tar came from.
[[nodiscard]] Result<Image> import_tar(const Store& store, ByteSource& tar, std::string_view source,
                                       const std::string& name, const ImportOptions& options = {});

struct LoadOptions {
  Limits limits;
  Report report;
};

// All images of an archive: OCI (image-layout in a tar) or docker-archive (`docker save`), itself
// compressed or not. Layers of OCI images are kept as they are, those of docker-archives are
// compressed with zstd. Of a multi-platform image, the one for this machine is taken. Either all
// images of the archive are added or none.
[[nodiscard]] Result<std::vector<Image>> load_archive(const Store& store, ByteSource& archive,
                                                      const LoadOptions& options = {});

struct CommitOptions {
  Authoring authoring;
  std::string created_by;  // the container's command, for the history
  Report report;
};

// The upper directory of a container of image `base_id` becomes a layer on top of that image, as
// a new image called `name`. Freeze or stop the container meanwhile if its files must agree.
[[nodiscard]] Result<Image> commit_upper(const Store& store, const std::filesystem::path& upper,
                                         const std::string& base_id, const std::string& name,
                                         const CommitOptions& options = {});

}  // namespace strata::image
