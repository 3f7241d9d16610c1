// What a union shows, all of it, as a value: path to a description. The same whether the engine or
// the kernel shows it.
#pragma once

#include <ctime>
#include <filesystem>
#include <map>
#include <string>

#include "unionfs/union.h"

namespace strata::testing {

using View = std::map<std::string, std::string>;

// Types, modes, owners, sizes, devices, link targets, extended attributes, content, and which names
// share a file. Modification times before `start`; later ones are "new".
[[nodiscard]] View engine_view(unionfs::Union& merged, time_t start);
[[nodiscard]] View kernel_view(const std::filesystem::path& root, time_t start);

// One line a difference; empty for equal views.
[[nodiscard]] std::string difference(const View& engine, const View& kernel);

}  // namespace strata::testing
