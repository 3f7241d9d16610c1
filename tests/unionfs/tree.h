// Trees as values, for comparing what two programs made of the same input.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace strata::testing {

struct ScanOptions {
  bool holes = true;                // where the data of files lies
  bool root = true;                 // the top directory's own attributes
  bool links = true;                // which names share a file
  bool whiteout_attributes = true;  // mode, owner and time of 0:0 devices, which mean nothing
};

// Path relative to `root` ("." is the root) to a description of everything that a tar can hold:
// type, mode, owner, mtime with nanoseconds, link target, device, extended attributes, content,
// holes, and which other paths are hard links to it.
using Tree = std::map<std::string, std::string>;
[[nodiscard]] Tree scan_tree(const std::filesystem::path& root, const ScanOptions& options = {});

// One line for each path whose descriptions differ; empty for equal trees.
[[nodiscard]] std::string differences(const Tree& expected, const Tree& actual);

}  // namespace strata::testing
