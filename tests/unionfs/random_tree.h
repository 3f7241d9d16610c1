// Random trees with everything in them that a tar can hold, the same for the same seed.
#pragma once

#include <cstdint>
#include <filesystem>

namespace strata::testing {

struct RandomTreeOptions {
  int entries = 60;
  bool is_layer = false;     // with whiteouts and opaque directories
  bool small_files = false;  // none that takes more than a few blocks of a tar
  bool empty_xattrs = true;  // Go's archive/tar, as POSIX has it, takes an empty value for no value
};

// Fills the existing directory `root`. REQUIRES: root privileges.
void make_random_tree(const std::filesystem::path& root, uint64_t seed,
                      const RandomTreeOptions& options = {});

}  // namespace strata::testing
