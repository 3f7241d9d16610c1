// The steps that the child takes. Each returns 0, or -1 with errno, having said in the report
// which of several objects was at fault. All are async-signal-safe.
//
// For the .cc files of runtime/linux only.
#pragma once

#include "runtime/linux/child_plan.h"

namespace strata::linux {

struct ChildState {
  SetupReport report;
  UniqueFd master;           // of the terminal
  UniqueFd listener;         // of the seccomp filter
  UniqueFd proc, sys;        // what was mounted on /proc and /sys, wherever their names lead by now
  pid_t process = 0;         // whose limits and scheduling; 0: its own
  bool has_streams = false;  // the standard streams are the program's already
};

using StepFunction = int (*)(const ChildPlan& plan, ChildState& state) noexcept;

// child_namespaces.cc
int leave_program(const ChildPlan& plan, ChildState& state) noexcept;
int join_cgroups(const ChildPlan& plan, ChildState& state) noexcept;
int enter_user_namespace(const ChildPlan& plan, ChildState& state) noexcept;
int enter_namespaces(const ChildPlan& plan, ChildState& state) noexcept;
int set_oom_score(const ChildPlan& plan, ChildState& state) noexcept;
int set_hostname(const ChildPlan& plan, ChildState& state) noexcept;
int set_up_loopback(const ChildPlan& plan, ChildState& state) noexcept;
// The process makes another one in the pid namespace that it has joined, which goes on in its place
// as a child of its parent's; the parent is told by a report of Step::kPids.
int enter_pid_namespace(const ChildPlan& plan, ChildState& state) noexcept;

// child_filesystem.cc
int attach_root(const ChildPlan& plan, ChildState& state) noexcept;
int attach_mounts(const ChildPlan& plan, ChildState& state) noexcept;
int make_devices(const ChildPlan& plan, ChildState& state) noexcept;
int write_sysctls(const ChildPlan& plan, ChildState& state) noexcept;
int mask_paths(const ChildPlan& plan, ChildState& state) noexcept;
int protect_paths(const ChildPlan& plan, ChildState& state) noexcept;
int pivot_root(const ChildPlan& plan, ChildState& state) noexcept;
int enter_directory(const ChildPlan& plan, ChildState& state) noexcept;

// child_terminal.cc
int start_session_with_console(const ChildPlan& plan, ChildState& state) noexcept;  // launch
int start_session(const ChildPlan& plan, ChildState& state) noexcept;               // exec
int take_plain_streams(const ChildPlan& plan, ChildState& state) noexcept;          // exec

// child_attributes.cc
int set_first_cpus(const ChildPlan& plan, ChildState& state) noexcept;  // exec, before its cgroups
int set_label(const ChildPlan& plan, ChildState& state) noexcept;
int set_limits(const ChildPlan& plan, ChildState& state) noexcept;
int set_scheduling(const ChildPlan& plan, ChildState& state) noexcept;

// child_process.cc
int take_identity(const ChildPlan& plan, ChildState& state) noexcept;
int close_descriptors(const ChildPlan& plan, ChildState& state) noexcept;
int install_seccomp(const ChildPlan& plan, ChildState& state) noexcept;
int drop_capabilities(const ChildPlan& plan, ChildState& state) noexcept;
// Whether there is a program that execve would take: a look only. ENOENT, EACCES.
int find_program(const ChildPlan& plan, ChildState& state) noexcept;
// Says on standard error, in runc's words, that execve failed (errno).
void tell_exec_failure(const ChildPlan& plan, const ChildState& state) noexcept;
// Returns only on failure.
int execute(const ChildPlan& plan, ChildState& state) noexcept;

}  // namespace strata::linux
