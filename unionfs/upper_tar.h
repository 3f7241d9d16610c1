// The upper layer of a union to a layer tar, whatever wrote it.
//
// Thread rule: functions are independent; nobody changes the upper layer meanwhile.
#pragma once

#include <filesystem>

#include "unionfs/base/result.h"
#include "unionfs/base/stream.h"
#include "unionfs/index/index.h"
#include "unionfs/layer_stack.h"
#include "unionfs/layer_tar.h"
#include "unionfs/overlay_xattrs.h"

namespace strata::unionfs {

// As pack_layer(upper), but what its notes say of the layers below is followed: a metacopy is
// packed with its content, a redirected directory with all that it shows, as an opaque one. `index`
// is that of `stack`, the layers below. The upper layer is only read.
//
// Errors: pack_layer()'s; ESTALE naming a metacopy whose content is in none of the layers.
[[nodiscard]] Result<LayerStats> pack_upper(LayerStack stack, index::Index index,
                                            const std::filesystem::path& upper, ByteSink& sink,
                                            const OverlayXattrs& names = kTrustedXattrs);

}  // namespace strata::unionfs
