// Filters of system calls from the spec's `linux.seccomp`, compiled by libseccomp.
//
// Not a part of a start that has to be fast: compiling docker's profile takes some milliseconds. A
// caller keeps programs under oci::to_json(seccomp), which is the same for the same filter.
//
// As in runc: rules for calls that this libseccomp can't name are left out where they would allow
// something; several conditions on one argument are alternatives; a rule that says what the default
// says is no rule.
//
// Source: runtime-spec config-linux.md, "Seccomp"; seccomp_rule_add(3); seccomp(2).
#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <vector>

#include "runtime/oci/spec_seccomp.h"
#include "unionfs/base/result.h"

namespace strata::linux {

struct SeccompFilter {
  std::vector<sock_filter> program;  // empty: everything is allowed
  uint32_t flags = 0;                // SECCOMP_FILTER_FLAG_*
  bool notifies = false;             // has rules with SCMP_ACT_NOTIFY: somebody must listen
};

// EINVAL with the JSON path ("linux.seccomp.syscalls[3].action: unknown action 'X'").
[[nodiscard]] Result<SeccompFilter> compile_seccomp(const oci::Seccomp& seccomp);

}  // namespace strata::linux
