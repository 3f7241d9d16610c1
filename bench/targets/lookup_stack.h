// The layers that a lookup suite looks into: those of the image at the bottom, and on top of them
// as many made-up ones as a target wants, each of which adds a few files in directories that the
// image has, too, so that these are merged all the way down. Private to targets/.
//
// Thread rule: main thread.
#pragma once

#include <cstddef>
#include <filesystem>
#include <vector>

#include "bench/workload.h"
#include "unionfs/base/result.h"

namespace strata::bench {

struct LookupPaths {
  std::filesystem::path hits;  // files with a path a line: files of the image, four components deep
  std::filesystem::path misses;  // names that are not there, in directories that are
};

// `depth` layers, top first; made where they are missing. REQUIRES: depth > 0. Of an image with
// more layers than that the lowest ones.
[[nodiscard]] Result<std::vector<std::filesystem::path>> lookup_layers(const Workload& workload,
                                                                       size_t depth);

// The same paths for all targets of a run: drawn from the image's lowest layer.
[[nodiscard]] Result<LookupPaths> lookup_paths(const Workload& workload);

}  // namespace strata::bench
