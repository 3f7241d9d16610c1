// Comparing a layer's tree with the tar that it was unpacked from: names, types and sizes, which is
// what an accident takes away; not contents, owners or attributes, nor what the tree has besides.
//
// Private to runtime/image. Thread rule: one user at a time.
#pragma once

#include <filesystem>
#include <string>

#include "unionfs/base/result.h"
#include "unionfs/base/stream.h"

namespace strata::image {

// What is wrong with `tree`, in words fit for a terminal ("'etc/passwd' is missing, and 7 more"),
// or "". An Error is about the tar, which is read to its end. REQUIRES: the tar was once unpacked
// by unpack_layer(), so its names are harmless.
[[nodiscard]] Result<std::string> tree_fault(ByteSource& tar, const std::filesystem::path& tree);

}  // namespace strata::image
