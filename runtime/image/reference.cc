#include "runtime/image/reference.h"

#include <algorithm>

#include "runtime/image/digest.h"

namespace strata::image {
namespace {

constexpr size_t kMaxRepository = 255;
constexpr size_t kMaxTag = 128;

bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_alnum(char c) {
  return is_lower(c) || is_digit(c) || (c >= 'A' && c <= 'Z');
}

// [a-z0-9]+ ( ( "." | "_" | "__" | "-"+ ) [a-z0-9]+ )*
bool is_path_component(std::string_view text) {
  const auto word = [](char c) { return is_lower(c) || is_digit(c); };
  if (text.empty() || !word(text.front()) || !word(text.back())) return false;
  for (size_t i = 0; i < text.size();) {
    if (word(text[i])) {
      ++i;
      continue;
    }
    const size_t end =
        std::find_if(text.begin() + static_cast<std::ptrdiff_t>(i), text.end(), word) -
        text.begin();
    const std::string_view separator = text.substr(i, end - i);
    const bool dashes = separator.find_first_not_of('-') == std::string_view::npos;
    if (!dashes && separator != "." && separator != "_" && separator != "__") return false;
    i = end;
  }
  return true;
}

// HOST[:PORT], where HOST is a domain name, an IPv4 address or a bracketed IPv6 address.
bool is_host(std::string_view text) {
  std::string_view host = text;
  const size_t colon = text.rfind(':');
  const bool bracketed = text.ends_with(']');
  if (colon != std::string_view::npos && !bracketed) {
    const auto port = text.substr(colon + 1);
    if (port.empty() || port.size() > 5 || !std::all_of(port.begin(), port.end(), is_digit))
      return false;
    host = text.substr(0, colon);
  }
  if (host.starts_with('[') && host.ends_with(']')) {
    const auto address = host.substr(1, host.size() - 2);
    return !address.empty() &&
           address.find_first_not_of("0123456789abcdefABCDEF:") == std::string_view::npos;
  }
  const auto letter = [](char c) { return is_alnum(c) || c == '.' || c == '-'; };
  return !host.empty() && is_alnum(host.front()) && is_alnum(host.back()) &&
         std::all_of(host.begin(), host.end(), letter);
}

bool is_tag(std::string_view text) {
  const auto letter = [](char c) { return is_alnum(c) || c == '_' || c == '.' || c == '-'; };
  return !text.empty() && text.size() <= kMaxTag && text.front() != '.' && text.front() != '-' &&
         std::all_of(text.begin(), text.end(), letter);
}

// A first component is a host if it could not be a path component of Docker Hub's.
bool names_host(std::string_view component) {
  return component == "localhost" ||
         component.find_first_of(".:[ABCDEFGHIJKLMNOPQRSTUVWXYZ") != std::string_view::npos;
}

bool is_repository(std::string_view text) {
  std::string_view rest = text;
  if (const size_t slash = rest.find('/');
      slash != std::string_view::npos && names_host(rest.substr(0, slash))) {
    if (!is_host(rest.substr(0, slash))) return false;
    rest.remove_prefix(slash + 1);
  }
  for (;;) {
    const size_t slash = rest.find('/');
    if (!is_path_component(rest.substr(0, slash))) return false;
    if (slash == std::string_view::npos) return true;
    rest.remove_prefix(slash + 1);
  }
}

std::string_view short_form(std::string_view repository) {
  for (const std::string_view hub : {"docker.io/", "index.docker.io/"}) {
    if (!repository.starts_with(hub)) continue;
    repository.remove_prefix(hub.size());
    constexpr std::string_view kOfficial = "library/";
    if (repository.starts_with(kOfficial)) repository.remove_prefix(kOfficial.size());
    break;
  }
  return repository;
}

}  // namespace

Result<Reference> parse_reference(std::string_view text) {
  const auto refuse = [&](std::string_view why) {
    constexpr size_t kShown = 300;
    return fail(EINVAL, "invalid image name '" + std::string(text.substr(0, kShown)) +
                            "': " + std::string(why));
  };
  if (text.empty()) return refuse("it is empty");
  if (text.find('@') != std::string_view::npos)
    return refuse("a digest is looked up by itself (sha256:…), not behind a name");
  std::string_view repository = text;
  std::string_view tag = kDefaultTag;
  const size_t slash = text.rfind('/');
  const size_t colon = text.rfind(':');
  if (colon != std::string_view::npos && (slash == std::string_view::npos || colon > slash)) {
    repository = text.substr(0, colon);
    tag = text.substr(colon + 1);
    if (!is_tag(tag))
      return refuse(
          "a tag is up to 128 letters, digits, '_', '.' and '-', not starting with the "
          "last two");
  }
  if (repository.size() > kMaxRepository) return refuse("it is longer than 255 characters");
  if (!is_repository(repository))
    return refuse(
        "a name is made of lower-case letters, digits and single separators (. _ -), in "
        "parts divided by '/', after an optional HOST[:PORT]");
  return Reference{std::string(short_form(repository)), std::string(tag)};
}

Result<Reference> parse_new_name(std::string_view text) {
  constexpr size_t kShortId = 12;
  const bool like_digest = text.starts_with(kSha256Prefix);
  const bool like_id = text.size() >= kShortId && text.size() <= kSha256Hex && is_hex(text);
  if (like_digest || like_id)
    return fail(EINVAL, "invalid image name '" + std::string(text) + "': it would be taken for " +
                            (like_digest ? "a digest" : "an image ID"));
  return parse_reference(text);
}

}  // namespace strata::image
