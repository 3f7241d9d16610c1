// Everything that the child needs between clone and execve, made ready by the parent: after clone
// nothing allocates, looks anything up by name or takes a lock.
//
// For the .cc files of runtime/linux only.
#pragma once

#include <linux/filter.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/types.h>

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "runtime/linux/capabilities.h"
#include "runtime/linux/device_nodes.h"
#include "runtime/linux/launch.h"
#include "runtime/linux/mount_plan.h"
#include "runtime/linux/namespace_plan.h"
#include "runtime/linux/own_program.h"
#include "runtime/linux/process_attributes.h"
#include "runtime/linux/setup_report.h"

namespace strata::linux {

struct ChildPlan {
  // How the process is, for launch and exec alike.
  std::vector<std::string> arguments, environment;
  std::vector<char*> argv, envp;        // into the two above, with the final nullptr
  std::vector<std::string> candidates;  // where the program may be, in order
  std::string directory;                // working directory
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;
  mode_t umask = 022;
  CapabilitySets capabilities;
  bool no_new_privileges = false;
  std::string oom_score;  // empty: as it is
  struct Limit {
    int resource = 0;
    rlimit64 value{};
    std::string name;
  };
  std::vector<Limit> limits;
  // The caller sets limits and scheduling, in front of execve: the child may not any more.
  bool limits_from_outside = false;
  ProcessAttributes attributes;
  std::span<const sock_filter> seccomp;
  unsigned seccomp_flags = 0;
  bool seccomp_listener = false;
  std::optional<winsize> console_size;
  bool terminal = false;
  Stdio stdio;
  UniqueFd null;  // /dev/null, where stdio leaves a stream out

  // Where it runs.
  std::vector<int> v1_cgroups;  // descriptors of directories, owned by the Cgroup
  uint64_t unshare_flags = 0;   // CLONE_NEW* to make in the child
  std::vector<JoinedNamespace> joined;
  bool user_namespace = false;  // new or joined before: the child waits and becomes its root

  // For launch only.
  StandIn stand_in;          // for our own program
  int root = -1;             // detached mount
  bool new_network = false;  // made by the child
  bool readonly_root = false;
  std::string hostname, domainname;
  uint64_t root_propagation = 0;  // MS_*; 0: private
  bool recursive_root_propagation = false;
  MountPlan mount_plan;
  std::vector<Attachment> attachments;
  std::vector<DeviceNode> devices;  // those that are not in /dev
  std::vector<std::string> masked_paths, readonly_paths;
  struct Sysctl {
    std::string path;  // "/proc/sys/net/…"
    std::string value;
  };
  std::vector<Sysctl> sysctls;

  int channel = -1;
  bool run_at_once = false;
  bool pause_before_pivot = false;
  int start_fifo = -1;         // of the caller's; -1: none
  bool program_tells = false;  // LaunchRequest
  unsigned preserved_fds = 0;  // descriptors from 3 on that the program gets
};

// Fills in what launch() and launch_exec() share. Errors name the offending member.
[[nodiscard]] Result<void> prepare_process(const oci::Process& process, const Stdio& stdio,
                                           std::span<const sock_filter> seccomp, ChildPlan& plan);

// The child's whole life up to execve. It never returns.
[[noreturn]] void run_launch_child(const ChildPlan& plan) noexcept;
[[noreturn]] void run_exec_child(const ChildPlan& plan) noexcept;

}  // namespace strata::linux
