// Which member of config.json is which field of Spec: said once, used for writing and for reading.
//
// For the .cc files of runtime/oci only. An `Io` offers
//   field(name, value)     a scalar, an optional scalar, or a list or map of strings or numbers
//   object(name, body)     a JSON object whose fields body(io) describes
//   list(name, vector)     a list of objects, each described by fields(io, element)
#pragma once

#include "runtime/oci/spec.h"

namespace strata::oci {

template <class Io>
void fields(Io& io, User& user) {
  io.field("uid", user.uid);
  io.field("gid", user.gid);
  io.field("umask", user.umask);
  io.field("additionalGids", user.additional_gids);
}

template <class Io>
void fields(Io& io, Capabilities& capabilities) {
  io.field("bounding", capabilities.bounding);
  io.field("effective", capabilities.effective);
  io.field("inheritable", capabilities.inheritable);
  io.field("permitted", capabilities.permitted);
  io.field("ambient", capabilities.ambient);
}

template <class Io>
void fields(Io& io, Rlimit& rlimit) {
  io.field("type", rlimit.type);
  io.field("soft", rlimit.soft);
  io.field("hard", rlimit.hard);
}

template <class Io>
void fields(Io& io, Process& process) {
  io.field("terminal", process.terminal);
  io.object("user", [&](Io& user) { fields(user, process.user); });
  io.field("args", process.args);
  io.field("env", process.env);
  io.field("cwd", process.cwd);
  io.object("capabilities", [&](Io& caps) { fields(caps, process.capabilities); });
  io.list("rlimits", process.rlimits);
  io.field("noNewPrivileges", process.no_new_privileges);
  io.field("oomScoreAdj", process.oom_score_adj);
}

template <class Io>
void fields(Io& io, Mount& mount) {
  io.field("destination", mount.destination);
  io.field("type", mount.type);
  io.field("source", mount.source);
  io.field("options", mount.options);
}

template <class Io>
void fields(Io& io, Namespace& ns) {
  io.field("type", ns.type);
  io.field("path", ns.path);
}

template <class Io>
void fields(Io& io, DeviceRule& rule) {
  io.field("allow", rule.allow);
  io.field("type", rule.type);
  io.field("major", rule.major);
  io.field("minor", rule.minor);
  io.field("access", rule.access);
}

template <class Io>
void fields(Io& io, Resources& resources) {
  io.list("devices", resources.devices);
  io.object("memory", [&](Io& memory) {
    memory.field("limit", resources.memory_limit);
    memory.field("swap", resources.memory_swap);
  });
  io.object("cpu", [&](Io& cpu) {
    cpu.field("shares", resources.cpu_shares);
    cpu.field("quota", resources.cpu_quota);
    cpu.field("period", resources.cpu_period);
    cpu.field("cpus", resources.cpus);
  });
  io.object("pids", [&](Io& pids) { pids.field("limit", resources.pids_limit); });
}

template <class Io>
void fields(Io& io, Linux& linux) {
  io.list("namespaces", linux.namespaces);
  io.field("cgroupsPath", linux.cgroups_path);
  io.object("resources", [&](Io& resources) { fields(resources, linux.resources); });
  io.field("maskedPaths", linux.masked_paths);
  io.field("readonlyPaths", linux.readonly_paths);
  io.field("sysctl", linux.sysctl);
}

template <class Io>
void fields(Io& io, Spec& spec) {
  io.object("root", [&](Io& root) {
    root.field("path", spec.root.path);
    root.field("readonly", spec.root.readonly);
  });
  io.object("process", [&](Io& process) { fields(process, spec.process); });
  io.field("hostname", spec.hostname);
  io.list("mounts", spec.mounts);
  io.object("linux", [&](Io& linux) { fields(linux, spec.linux); });
  io.field("annotations", spec.annotations);
}

}  // namespace strata::oci
