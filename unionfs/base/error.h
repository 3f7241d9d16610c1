// Errors as values: what was being done, to which object, and the errno that says why.
//
// `code` is always an errno value, so callers ask `error.code == ENOENT` and nobody parses text.
// `what` is the whole sentence for a person, outermost context first:
//   "create web1: mount overlay on /var/lib/strata/…/merged: No such device"
// Absence that a caller expects (a name that is not there) is a value (std::optional), not an
// Error.
//
// Thread rule: plain values, no shared state.
#pragma once

#include <cerrno>
#include <string>
#include <string_view>

namespace strata {

struct Error {
  int code = 0;      // an errno value, never 0 in an Error that travels
  std::string what;  // complete sentence, no trailing full stop or newline
};

// "<context>: <strerror(code)>". The default takes errno as the failed call left it, so the call
// must be the last thing that could change errno.
[[nodiscard]] Error posix_error(std::string_view context, int code = errno);

// Puts "<context>: " in front and keeps the code.
[[nodiscard]] Error wrap(std::string_view context, Error error);

// The symbolic name of an errno value ("ENOENT"), or "E<number>" for one that has no name.
[[nodiscard]] std::string errno_name(int code);

}  // namespace strata
