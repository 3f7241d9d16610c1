// What the machine is, as far as it can explain a number: read from /proc, /sys and the like, never
// measured. What can't be read stays empty; collecting never fails.
//
// Thread rule: any thread.
#pragma once

#include <filesystem>

#include "bench/result.h"

namespace strata::bench {

// `store` is where the images and containers of the run lie (it need not exist: its nearest
// existing parent tells the file system). `root` is put before /proc, /sys, /etc and /boot: for
// tests.
[[nodiscard]] Context collect_context(const std::filesystem::path& store,
                                      const std::filesystem::path& root = "/");

}  // namespace strata::bench
