// The options that name a union: the same for every command.
//
// Private: included only by the .cc files of this folder.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "unionfs/base/result.h"
#include "unionfs/layer_stack.h"
#include "unionfs/overlay.h"
#include "unionfs/overlay_xattrs.h"
#include "unionfs/union.h"

namespace strata::unionfs::cli {

struct StackOptions {
  std::string lower;  // TOP:…:BOTTOM, "\:" is a colon in a name
  std::filesystem::path upper;
  std::filesystem::path work;
  std::filesystem::path index;
  bool user_xattrs = false;

  void add_to(CLI::App& app);

  [[nodiscard]] const OverlayXattrs& names() const {
    return user_xattrs ? kUserXattrs : kTrustedXattrs;
  }
  [[nodiscard]] Result<LayerStack> open_stack() const;
  [[nodiscard]] std::optional<std::filesystem::path> index_dir() const;

  // nullopt without --upper. EINVAL for --work alone.
  [[nodiscard]] Result<std::optional<Upper>> upper_layer() const;

  [[nodiscard]] Result<Union> open_union() const;
};

// "a:b\:c" to "a" and "b:c". EINVAL for an empty part.
[[nodiscard]] Result<std::vector<std::filesystem::path>> split_layers(const std::string& text);

}  // namespace strata::unionfs::cli
