// What umoci makes of layer tars: the other implementation that ours is held against.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/environment.h"

namespace strata::unionfs {

// Unpacks an image of these layers, bottom first, into `<dir>/umoci`; the image is in `<dir>/oci`.
// For ASSERT_NO_FATAL_FAILURE.
inline void unpack_by_umoci(const std::filesystem::path& dir,
                            const std::vector<std::filesystem::path>& layers) {
  const std::string layout = dir / "oci", image = layout + ":union";
  std::vector<std::vector<std::string>> calls{{"umoci", "init", "--layout", layout},
                                              {"umoci", "new", "--image", image}};
  for (const auto& layer : layers)
    calls.push_back({"umoci", "raw", "add-layer", "--image", image, layer});
  calls.push_back({"umoci", "raw", "unpack", "--image", image, dir / "umoci"});
  for (const auto& argv : calls) {
    const auto done = testing::run(argv);
    ASSERT_EQ(done.status, 0) << argv[1] << ": " << done.err;
  }
}

}  // namespace strata::unionfs
