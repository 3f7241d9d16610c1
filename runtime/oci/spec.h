// The OCI runtime-spec (1.2) configuration for Linux as values: what a container shall be, whoever
// asked for it (`strata run` from an image, or a bundle's config.json). Field names follow the
// spec's JSON; defaults are the spec's. Plain values, no kernel calls.
//
// Two members are refused where they say anything, since nothing here honours them:
// linux.intelRdt and process.commandLine (Windows); and two of later versions of the spec that
// can't be passed over without harm, linux.netDevices and linux.memoryPolicy.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/oci/spec_hooks.h"
#include "runtime/oci/spec_linux.h"
#include "runtime/oci/spec_process.h"
#include "unionfs/base/result.h"

namespace strata::oci {

struct Mount {
  std::string destination;  // in the container; a relative one is taken from "/"
  std::string type;         // "proc", "tmpfs", …; "bind" or an option bind/rbind for bind mounts
  std::string source;
  std::vector<std::string> options;                             // mount(8) and the spec's own
  std::vector<IdMapping> uid_mappings = {}, gid_mappings = {};  // of an ID-mapped mount
};

struct Root {
  std::string path;
  bool readonly = false;
};

struct Spec {
  std::string version = "1.0.2";  // ociVersion; this is the oldest with all that we write ourselves
  Root root;
  Process process;
  std::string hostname;
  std::string domainname;
  std::vector<Mount> mounts;
  Hooks hooks;
  Linux linux;
  std::map<std::string, std::string> annotations;
};

// What docker, podman and `runc spec` agree on for a Linux container: /proc /dev /dev/pts /dev/shm
// /dev/mqueue /sys /sys/fs/cgroup mounts, masked and read-only paths, all namespaces but user and
// time, docker's default capabilities, no devices but those that every container has. The caller
// adds root, args, env and cgroups_path.
[[nodiscard]] Spec default_spec();

// config.json, complete enough for another runtime to run it. JSON holds Unicode only: bytes that
// are not UTF-8 are written as U+FFFD.
[[nodiscard]] std::string to_json(const Spec& spec);

// Reads a config.json. Values of a wrong type or range, required members that are missing and
// members that can't be honoured are refused with their JSON path (EINVAL), e.g.
// "config.json: linux.resources.memory.limit: unexpected value \"1G\"".
// Members that the specification does not know are passed over ("runtimes MUST NOT generate an
// error", config.md, "Extensibility"); `unknown` receives their JSON paths.
[[nodiscard]] Result<Spec> from_json(std::string_view text, std::string_view name,
                                     std::vector<std::string>* unknown = nullptr);

// Only `process` (as `exec --process` takes it) and only `linux.resources` (`update --resources`).
[[nodiscard]] Result<Process> process_from_json(std::string_view text, std::string_view name);
[[nodiscard]] Result<Resources> resources_from_json(std::string_view text, std::string_view name);

// A filter in one form of writing: the key under which its compiled program can be kept.
[[nodiscard]] std::string to_json(const Seccomp& seccomp);

}  // namespace strata::oci
