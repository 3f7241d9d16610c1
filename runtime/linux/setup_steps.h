// The steps of a container's set-up in the child, in the order of a launch. Each is timed and each
// can fail; this is what travels to the parent in place of text.
#pragma once

#include <cstdint>
#include <string_view>

namespace strata::linux {

enum class Step : uint32_t {
  kProgram,        // leave the file of the caller's program
  kCgroup,         // move into the v1 cgroups
  kLabel,          // of a security module, for execve
  kUserNamespace,  // wait for its mappings, become its root
  kNamespaces,     // join those given by path or pidfd; make the network and cgroup ones
  kStreams,        // of exec: take the program's, close all other descriptors
  kPids,           // of exec: go on as a process of the pid namespace
  kOomScore,       // /proc/self/oom_score_adj
  kHostname,       //
  kLoopback,       // bring lo up
  kRoot,           // private propagation, attach the root
  kMounts,         // the spec's mounts, one after the other
  kDevices,        // the spec's nodes outside of /dev
  kSysctl,         //
  kMaskedPaths,    //
  kReadonlyPaths,
  kHooks,         // waits for the caller, who runs the spec's hooks
  kPivot,         // pivot_root, detach the old root
  kTerminal,      // session, its keyring, terminal, /dev/console, standard streams
  kRlimits,       //
  kScheduling,    // scheduler, I/O priority, CPUs, personality
  kDirectory,     // working directory, made if missing
  kIdentity,      // bounding set, groups, gid, uid, no_new_privs
  kDescriptors,   // close all but the standard streams
  kSeccomp,       //
  kCapabilities,  // the remaining sets
  kReady,         // reported; waits for start()
  kExec,          //
};
inline constexpr uint32_t kStepCount = static_cast<uint32_t>(Step::kExec) + 1;

// A short name for a lap: "mounts".
[[nodiscard]] constexpr std::string_view step_name(Step step) {
  switch (step) {
    case Step::kProgram:
      return "own program";
    case Step::kStreams:
      return "standard streams";
    case Step::kPids:
      return "enter pids";
    case Step::kCgroup:
      return "join cgroups";
    case Step::kLabel:
      return "security label";
    case Step::kUserNamespace:
      return "user namespace";
    case Step::kNamespaces:
      return "namespaces";
    case Step::kOomScore:
      return "OOM score";
    case Step::kHostname:
      return "hostname";
    case Step::kLoopback:
      return "loopback";
    case Step::kRoot:
      return "attach root";
    case Step::kMounts:
      return "mounts";
    case Step::kDevices:
      return "devices";
    case Step::kSysctl:
      return "sysctl";
    case Step::kMaskedPaths:
      return "masked paths";
    case Step::kReadonlyPaths:
      return "read-only paths";
    case Step::kHooks:
      return "hooks";
    case Step::kPivot:
      return "pivot root";
    case Step::kTerminal:
      return "session";
    case Step::kRlimits:
      return "limits";
    case Step::kScheduling:
      return "scheduling";
    case Step::kDirectory:
      return "working directory";
    case Step::kIdentity:
      return "identity";
    case Step::kDescriptors:
      return "close descriptors";
    case Step::kSeccomp:
      return "seccomp";
    case Step::kCapabilities:
      return "capabilities";
    case Step::kReady:
      return "ready";
    case Step::kExec:
      return "exec";
  }
  return "unknown step";
}

}  // namespace strata::linux
