// SHA-256 as image-spec's digests need it, computed while bytes pass by.
//
// Thread rule: one user at a time.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "unionfs/base/stream.h"

struct evp_md_ctx_st;

namespace strata::image {

class Sha256 {
 public:
  Sha256();
  void update(std::span<const std::byte> data);

  // "sha256:<hex>" of what was given so far; ends the computation.
  [[nodiscard]] std::string digest();

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const;
  };
  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

// Digest of a text at hand.
[[nodiscard]] std::string sha256_digest(std::string_view text);

}  // namespace strata::image
