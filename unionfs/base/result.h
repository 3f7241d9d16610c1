// Result<T>: a value or an Error. The only place that names the error library.
//
//   Result<UniqueFd> open_layer(const std::string& path) {
//     STRATA_TRY(UniqueFd fd, open_dir(path));       // declares fd, or returns the error
//     STRATA_CHECK(verify(fd));                      // for Result<void>
//     if (too_big) return fail(EFBIG, "layer " + path + " holds more than 4 GiB");
//     if (fsync(fd.get()) < 0) return fail_errno("fsync " + path);
//     return fd;
//   }
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>

#include "unionfs/base/error.h"

namespace strata {

template <class T>
using Result = std::expected<T, Error>;

// An error of ours: `what` is the whole text.
[[nodiscard]] inline std::unexpected<Error> fail(int code, std::string what) {
  return std::unexpected(Error{code, std::move(what)});
}

// An error of the kernel's: "<context>: <strerror>".
[[nodiscard]] inline std::unexpected<Error> fail_errno(std::string_view context, int code = errno) {
  return std::unexpected(posix_error(context, code));
}

// Passes an error on with context in front.
[[nodiscard]] inline std::unexpected<Error> fail_in(std::string_view context, Error error) {
  return std::unexpected(wrap(context, std::move(error)));
}

}  // namespace strata

#define STRATA_CONCAT_(a, b) a##b
#define STRATA_CONCAT(a, b) STRATA_CONCAT_(a, b)

// Evaluates a Result<T>; on success `declaration` takes the value, else the function returns the
// error. `declaration` may be a new variable ("auto x") or an existing one ("x").
#define STRATA_TRY(declaration, ...)                                                    \
  auto STRATA_CONCAT(strata_result_, __LINE__) = (__VA_ARGS__);                         \
  if (!STRATA_CONCAT(strata_result_, __LINE__))                                         \
    return std::unexpected(std::move(STRATA_CONCAT(strata_result_, __LINE__)).error()); \
  declaration = *std::move(STRATA_CONCAT(strata_result_, __LINE__))

// The same for a Result<void>, or where the value is of no interest.
#define STRATA_CHECK(...)                                                       \
  do {                                                                          \
    auto strata_check = (__VA_ARGS__);                                          \
    if (!strata_check) return std::unexpected(std::move(strata_check).error()); \
  } while (false)
