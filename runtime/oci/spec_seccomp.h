// A filter of system calls: `linux.seccomp` of config.json (runtime-spec config-linux.md,
// "Seccomp").
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace strata::oci {

struct SeccompArg {
  uint32_t index = 0;
  uint64_t value = 0;
  uint64_t value_two = 0;
  std::string op;  // "SCMP_CMP_EQ", …
};

struct SeccompRule {
  std::vector<std::string> names;
  std::string action;  // "SCMP_ACT_ALLOW", …
  std::optional<uint32_t> errno_ret;
  std::vector<SeccompArg> args;
};

struct Seccomp {
  std::string default_action;
  std::optional<uint32_t> default_errno_ret;
  std::vector<std::string> architectures;  // "SCMP_ARCH_X86_64", …
  std::vector<std::string> flags;          // "SECCOMP_FILTER_FLAG_LOG", …
  std::string listener_path;               // socket for the listener of SCMP_ACT_NOTIFY
  std::string listener_metadata;
  std::vector<SeccompRule> syscalls;
};

}  // namespace strata::oci
