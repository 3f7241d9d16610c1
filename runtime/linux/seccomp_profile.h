// The default seccomp profile as data: what docker allows to containers with docker's default
// capabilities, on x86-64 with its x86 and x32 sub-architectures.
//
// Source: moby's profiles/seccomp/default_linux.go (rules without `Includes`, those for amd64, and
// those for the capabilities that default_spec() grants). Used when Strata is built, not when it
// runs.
#pragma once

#include <span>
#include <string_view>

namespace strata::linux {

// Allowed whatever their arguments are.
[[nodiscard]] std::span<const std::string_view> allowed_syscalls();

// Address families that socket(2) may open: all but AF_ALG and AF_VSOCK and those that Linux no
// longer has. (socketcall(2) of 32-bit programs hides its arguments from a filter.)
[[nodiscard]] std::span<const unsigned> allowed_socket_families();

// Values that personality(2) may be given.
[[nodiscard]] std::span<const unsigned> allowed_personalities();

// System calls younger than the libseccomp of the reference distribution, which can't name them.
// From 424 on the numbers are the same on every architecture (asm-generic/unistd.h).
struct NumberedSyscall {
  unsigned number;
  std::string_view name;
};
inline constexpr unsigned kLastNamedSyscall = 450;  // set_mempolicy_home_node, libseccomp 2.5.4
inline constexpr unsigned kLastKnownSyscall = 466;  // removexattrat; younger ones are ENOSYS
[[nodiscard]] std::span<const NumberedSyscall> allowed_numbered_syscalls();

// uretprobe, of x86-64 only: a probed program calls it without knowing.
inline constexpr unsigned kUretprobe = 335;

// Bits that clone(2) must not have: the namespaces, user namespaces among them.
inline constexpr unsigned kForbiddenCloneFlags = 0x7e020000;

}  // namespace strata::linux
