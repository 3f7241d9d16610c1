// What containers are called: IDs, names, and the index from names to IDs.
//
// The index is a directory of symbolic links (files.h): symlink(2) fails if the name is taken, so a
// name is claimed in one step, and looked up with one readlink(2).
//
// Thread rule: functions are independent; several processes may work on one store.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "runtime/image/store.h"
#include "unionfs/base/result.h"

namespace strata::container {

inline constexpr size_t kIdDigits = 64;
inline constexpr size_t kShortIdDigits = 12;

// 64 hexadecimal digits from getrandom(2).
[[nodiscard]] Result<std::string> new_id();
[[nodiscard]] bool is_id(std::string_view text);
[[nodiscard]] inline std::string_view short_id(std::string_view id) {
  return id.substr(0, kShortIdDigits);
}

// "brisk_otter": made from the ID, so random as that is; `attempt` > 0 appends a number.
[[nodiscard]] std::string default_name(std::string_view id, unsigned attempt);

// Docker's rule: [a-zA-Z0-9][a-zA-Z0-9_.-]+, here at most 128 characters. EINVAL otherwise.
[[nodiscard]] Result<void> check_name(std::string_view name);

// Gives `name` to the container `id`. REQUIRES: check_name(name), and the container's directory
// stands already. False if another container has it; a name whose container is gone is free.
[[nodiscard]] Result<bool> claim_name(const image::Store& store, std::string_view name,
                                      std::string_view id);

// The ID that has the name, whether its container still exists or not.
[[nodiscard]] Result<std::optional<std::string>> lookup_name(const image::Store& store,
                                                             std::string_view name);

// Takes the name back if the container `id` has it. Absence is success.
[[nodiscard]] Result<void> release_name(const image::Store& store, std::string_view name,
                                        std::string_view id);

// Removes a name whose container is gone; any other stays.
[[nodiscard]] Result<void> remove_stale_name(const image::Store& store, std::string_view name);

}  // namespace strata::container
