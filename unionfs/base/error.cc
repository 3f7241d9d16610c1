#include "unionfs/base/error.h"

#include <cstring>
#include <utility>

namespace strata {

Error posix_error(std::string_view context, int code) {
  std::string what(context);
  what += ": ";
  // strerrordesc_np, unlike strerror, is thread-safe and ignores the locale: messages are compared.
  const char* text = strerrordesc_np(code);
  what += text != nullptr ? text : errno_name(code);
  return {code, std::move(what)};
}

Error wrap(std::string_view context, Error error) {
  error.what.insert(0, ": ").insert(0, context);
  return error;
}

std::string errno_name(int code) {
  const char* name = strerrorname_np(code);
  return name != nullptr ? name : "E" + std::to_string(code);
}

}  // namespace strata
