// Compiled seccomp filters, kept by what they were compiled from: an engine gives all its
// containers the same profile, and compiling one takes longer than all the rest of a start.
//
// Kept in one directory beside the states of the containers, one file a profile, which goes with
// them at the next boot. Whatever is wrong with a file, the filter is compiled anew.
//
// Thread rule: any thread; several processes may use one cache.
#pragma once

#include <filesystem>
#include <optional>

#include "runtime/linux/seccomp_compile.h"
#include "runtime/oci/spec.h"
#include "unionfs/base/result.h"

namespace strata::bundle {

// nullopt if the configuration has none.
[[nodiscard]] Result<std::optional<linux::SeccompFilter>> seccomp_filter(
    const std::filesystem::path& root, const oci::Spec& spec);

}  // namespace strata::bundle
