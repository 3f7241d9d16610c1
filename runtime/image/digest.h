// Digests as image-spec writes them ("sha256:<64 hex digits>"): their form only, nothing is
// computed here (sha256.h does that). Plain functions, any thread.
#pragma once

#include <string_view>

#include "unionfs/base/result.h"

namespace strata::image {

inline constexpr std::string_view kSha256Prefix = "sha256:";
inline constexpr size_t kSha256Hex = 64;

// Lower-case hexadecimal digits only, at least one.
[[nodiscard]] bool is_hex(std::string_view text);

// "sha256:" and 64 lower-case hexadecimal digits.
[[nodiscard]] bool is_digest(std::string_view text);

// is_digest() as an error: EINVAL names the place, ENOTSUP an algorithm that we don't know.
[[nodiscard]] Result<void> check_digest(std::string_view text, std::string_view place);

// The hexadecimal part. REQUIRES: is_digest(digest).
[[nodiscard]] std::string_view digest_hex(std::string_view digest);

}  // namespace strata::image
