// The default seccomp filter: docker's profile for docker's default capabilities, compiled when
// Strata is built. No compilation at run time, no library in the start path.
//
// A system call that is not allowed fails with EPERM; clone3 with ENOSYS (its flags are out of a
// filter's sight, and libraries then fall back to clone); those younger than the profile with
// ENOSYS, too, as an older kernel would answer.
//
// The filter allows what launch() does after it is in force: read, sendmsg, capset, prctl,
// rt_sigaction, rt_sigprocmask, execve, faccessat, exit_group.
#pragma once

#include <linux/filter.h>

#include <span>

namespace strata::linux {

// Empty on architectures for which there is no profile.
[[nodiscard]] std::span<const sock_filter> default_seccomp_filter();

}  // namespace strata::linux
