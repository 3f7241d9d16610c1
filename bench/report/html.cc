#include "bench/report/html.h"

#include <array>

#include <openssl/evp.h>

namespace strata::bench {

std::string escape_html(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      case '\'':
        escaped += "&#39;";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

std::string escape_script_json(std::string_view json) {
  std::string escaped;
  escaped.reserve(json.size());
  for (const char c : json) {
    if (c == '<')
      escaped += "\\u003c";
    else
      escaped += c;
  }
  return escaped;
}

Result<std::string> script_source(std::string_view script) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  if (EVP_Digest(script.data(), script.size(), digest.data(), &length, EVP_sha256(), nullptr) != 1)
    return fail(EIO, "SHA-256 of a script: libcrypto refused");
  std::array<unsigned char, EVP_MAX_MD_SIZE * 2> text{};
  const int size = EVP_EncodeBlock(text.data(), digest.data(), static_cast<int>(length));
  return "'sha256-" + std::string(text.data(), text.data() + size) + "'";
}

Result<std::string> fill_template(std::string_view text,
                                  const std::map<std::string, std::string, std::less<>>& values) {
  std::string filled;
  for (;;) {
    const auto open = text.find("{{");
    const auto close = text.find("}}", open);
    if (open == std::string_view::npos || close == std::string_view::npos) break;
    const auto name = text.substr(open + 2, close - open - 2);
    const auto value = values.find(name);
    if (value == values.end())
      return fail(EINVAL, "page template: nothing to put in place of '" + std::string(name) + "'");
    filled += text.substr(0, open);
    filled += value->second;
    text.remove_prefix(close + 2);
  }
  filled += text;
  return filled;
}

}  // namespace strata::bench
