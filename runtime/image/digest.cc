#include "runtime/image/digest.h"

#include <algorithm>
#include <string>

namespace strata::image {

bool is_hex(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
  });
}

bool is_digest(std::string_view text) {
  return text.starts_with(kSha256Prefix) && text.size() == kSha256Prefix.size() + kSha256Hex &&
         is_hex(text.substr(kSha256Prefix.size()));
}

Result<void> check_digest(std::string_view text, std::string_view place) {
  if (is_digest(text)) return {};
  // What stands here came from a stranger: don't repeat more of it than helps.
  constexpr size_t kShown = 80;
  const std::string shown(text.substr(0, kShown));
  if (text.starts_with("sha512:") || text.starts_with("blake3:"))
    return fail(ENOTSUP, std::string(place) + ": digest algorithm of '" + shown +
                             "' is not supported (sha256 is)");
  return fail(EINVAL, std::string(place) + ": '" + shown + "' is not a digest");
}

std::string_view digest_hex(std::string_view digest) {
  return digest.substr(kSha256Prefix.size());
}

}  // namespace strata::image
