// Why a name is what it is: what each layer has there, asked of the layers one after the other, as
// overlayfs would without an index.
//
// Thread rule: functions are independent.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "unionfs/base/result.h"
#include "unionfs/layer_stack.h"
#include "unionfs/overlay_xattrs.h"

namespace strata::unionfs {

enum class LayerSays {
  kAnswers,   // this is what the union shows
  kMerged,    // a directory whose entries show, too
  kShadowed,  // a file that a layer above hides
  kWhiteout,  // the name does not exist, whatever is below
  kAbsent,
};

struct LayerAnswer {
  size_t layer;  // of the stack: 0 is the top
  LayerSays says = LayerSays::kAbsent;
  std::string detail;  // "directory, opaque", "hidden by a whiteout of a/b", …
};

// One answer a layer, top first. Redirects are named, not followed. Errors: what reading the layers
// reports.
[[nodiscard]] Result<std::vector<LayerAnswer>> explain(const LayerStack& stack,
                                                       std::string_view path,
                                                       const OverlayXattrs& names = kTrustedXattrs);

[[nodiscard]] std::string_view to_text(LayerSays says);

}  // namespace strata::unionfs
