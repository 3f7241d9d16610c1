// Image names as people write them, by the grammar of github.com/distribution/reference:
//   [HOST[:PORT]/]PATH[:TAG]       e.g. "debian", "debian:bookworm", "localhost:5000/web:1.0"
// Docker Hub's long forms become the short ones ("docker.io/library/debian" is "debian"), so that
// one image has one name wherever its archive came from. Plain values, any thread.
#pragma once

#include <string>
#include <string_view>

#include "unionfs/base/result.h"

namespace strata::image {

inline constexpr std::string_view kDefaultTag = "latest";

struct Reference {
  std::string repository;  // "debian", "localhost:5000/web"
  std::string tag;         // never empty

  [[nodiscard]] std::string str() const { return repository + ":" + tag; }
};

// EINVAL says what is wrong with the name.
[[nodiscard]] Result<Reference> parse_reference(std::string_view text);

// The same for the name that an image is to get: EINVAL also for what would be taken for an image
// ID or a digest wherever it is used ("ae94ea795ab5", "sha256:abc").
[[nodiscard]] Result<Reference> parse_new_name(std::string_view text);

}  // namespace strata::image
