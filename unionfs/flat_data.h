// Where the content of a flat image lies.
//
// Thread rule: functions are independent.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "unionfs/base/result.h"
#include "unionfs/index/index.h"
#include "unionfs/layer_stack.h"

namespace strata::unionfs {

struct FlatData {
  // The data-only layers in the order in which the kernel looks: the directory that all layers are
  // in, or, where is_shared is false, the layers, top first.
  std::vector<std::filesystem::path> directories;
  bool is_shared = true;

  // Where each layer stands in its data layer, bottom first: "" or "/a/b".
  std::vector<std::string> layer_roots;
};

// Finds it. The layers' descriptors count, not the paths that they were opened by.
[[nodiscard]] Result<FlatData> flat_data(const LayerStack& stack);

// What is in a small file of the layers.
[[nodiscard]] Result<std::string> read_content(const LayerStack& stack, const index::Record& file);

// Whether each file's content is the first of its name in the layers, for data that is not shared.
// EXDEV naming the file if not; E2BIG for more layers than the kernel takes.
[[nodiscard]] Result<void> check_unambiguous(const LayerStack& stack, const index::Index& index);

}  // namespace strata::unionfs
