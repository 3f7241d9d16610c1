// Stacks of layers as the kernel writes them: each layer is the upper directory of an overlay mount
// of the layers below, through which random changes were made.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace strata::testing {

// A mount that is attached at a directory (created if missing) while this lives.
class Attached {
 public:
  Attached(int mount_fd, std::filesystem::path target);
  Attached(const Attached&) = delete;
  Attached& operator=(const Attached&) = delete;
  ~Attached();

  [[nodiscard]] const std::filesystem::path& path() const { return target_; }
  [[nodiscard]] std::string read(const std::string& name) const;
  [[nodiscard]] std::filesystem::path operator/(const std::string& name) const {
    return target_ / name;
  }

 private:
  std::filesystem::path target_;
};

// Random changes to the tree at `root`: removals, directories anew, renames, links, attributes,
// content.
void change_tree(const std::filesystem::path& root, uint64_t seed);

// `count` layers in `directory` ("l0" is the bottom), top first. `bottom`: a directory that is the
// bottom layer instead of a random tree. REQUIRES: root privileges, private mount namespace.
[[nodiscard]] std::vector<std::filesystem::path> make_kernel_layers(
    const std::filesystem::path& directory, int count, uint64_t seed,
    const std::filesystem::path& bottom = {});

}  // namespace strata::testing
