// What a union shows, all of it, as a value: path to a description. The same whether the engine or
// the kernel shows it.
#pragma once

#include <sys/types.h>

#include <ctime>
#include <filesystem>
#include <map>
#include <set>
#include <string>

#include "unionfs/union.h"

namespace strata::testing {

using View = std::map<std::string, std::string>;

struct ViewOptions {
  time_t start = 0;              // modification times before this are told; later ones are "new"
  std::set<ino_t> lower_inodes;  // inode numbers that are told: those of others are their own
};

// Types, modes, owners, sizes, devices, link targets, extended attributes, content, and which names
// share a file. Whether directories say the same of their entries.
[[nodiscard]] View engine_view(unionfs::Union& merged, const ViewOptions& options);
[[nodiscard]] View kernel_view(const std::filesystem::path& root, const ViewOptions& options);

// One line a difference; empty for equal views.
[[nodiscard]] std::string difference(const View& engine, const View& kernel);

}  // namespace strata::testing
