// What libarchive reads for us: compressed files, and Debian packages.
//
// Thread rule: functions are independent.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "unionfs/base/result.h"

namespace strata::vm {

// The content of compressed bytes, whatever the compression (gzip, xz, zstd, lz4, …). EBADMSG: no
// compression that is known, or damaged. `name` is for messages.
[[nodiscard]] Result<std::string> decompress(std::string_view bytes, std::string_view name);

// The content of a compressed file.
[[nodiscard]] Result<std::string> read_compressed(const std::filesystem::path& path);

// Takes one regular file of a package: its path without leading "./", and its content.
using TakeFile = std::function<Result<void>(const std::string& path, std::string content)>;

// Calls `take` for every regular file in the Debian package `deb` (deb(5)) whose path `wanted` says
// yes to, in the package's order.
[[nodiscard]] Result<void> read_deb(const std::filesystem::path& deb,
                                    const std::function<bool(const std::string& path)>& wanted,
                                    const TakeFile& take);

}  // namespace strata::vm
