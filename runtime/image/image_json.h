// An image as the JSON object that `strata inspect` prints. Any thread.
#pragma once

#include <string>

#include "runtime/image/image.h"
#include "unionfs/base/result.h"

namespace strata::image {

// {kind: "image", id, names, created, architecture, os, author, size,
//  config: {user, env, entrypoint, cmd, working_dir, stop_signal, exposed_ports, volumes, labels},
//  manifest: {digest, media_type, size},
//  layers: [{digest, media_type, size, diff_id, tree}]}, layers bottom first, indented, no final
// newline.
[[nodiscard]] Result<std::string> image_to_json(const Image& image);

}  // namespace strata::image
