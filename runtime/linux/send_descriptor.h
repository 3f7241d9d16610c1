// A descriptor sent over a unix socket (unix(7), SCM_RIGHTS): how engines are given what is made
// inside of a container.
//
// Thread rule: functions are independent.
#pragma once

#include <sys/types.h>

#include <string_view>

namespace strata::linux {

// One sendmsg(2) of `text`, which must not be empty, with `descriptor`; no SIGPIPE. As sendmsg(2):
// bytes sent, or -1 with errno, EINTR among others.
[[nodiscard]] ssize_t send_descriptor(int socket, std::string_view text, int descriptor);

}  // namespace strata::linux
