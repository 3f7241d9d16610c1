#include "runtime/image/sha256.h"

#include <array>
#include <cstdlib>

#include <openssl/evp.h>

#include "runtime/image/digest.h"

namespace strata::image {

void Sha256::Free::operator()(evp_md_ctx_st* context) const {
  ::EVP_MD_CTX_free(context);
}

Sha256::Sha256() : context_(::EVP_MD_CTX_new()) {
  // Fails only without memory or with an OpenSSL that lacks SHA-256: nothing could be verified.
  if (!context_ || ::EVP_DigestInit_ex(context_.get(), ::EVP_sha256(), nullptr) != 1) std::abort();
}

void Sha256::update(std::span<const std::byte> data) {
  if (::EVP_DigestUpdate(context_.get(), data.data(), data.size()) != 1) std::abort();
}

std::string Sha256::digest() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> raw{};
  unsigned int length = 0;
  if (::EVP_DigestFinal_ex(context_.get(), raw.data(), &length) != 1) std::abort();
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text(kSha256Prefix);
  for (unsigned int i = 0; i < length; ++i) {
    text += kDigits[raw[i] >> 4U];
    text += kDigits[raw[i] & 0xFU];
  }
  return text;
}

std::string sha256_digest(std::string_view text) {
  Sha256 sha;
  sha.update(std::as_bytes(std::span(text)));
  return sha.digest();
}

}  // namespace strata::image
