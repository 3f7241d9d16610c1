// Which member of config.json is which field of Spec: said once, used for writing and for reading.
//
// For the .cc files of runtime/oci only. An `Io` offers
//   field(name, value)     a scalar, an optional scalar, or a list or map of strings or numbers
//   required(name, value)  the same, of a member that must be there
//   object(name, body)     a JSON object whose fields body(io) describes
//   optional(name, value)  an object that may be absent, as std::optional, described by fields()
//   list(name, vector)     a list of objects, each described by fields(io, element)
//   map(name, map)         an object of objects, each described by fields(io, element)
//   refused(name, why)     a member that may only be absent or empty
#pragma once

#include "runtime/oci/spec.h"
#include "runtime/oci/spec_fields_linux.h"

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
  io.required("type", rlimit.type);
  io.required("soft", rlimit.soft);
  io.required("hard", rlimit.hard);
}

template <class Io>
void fields(Io& io, ConsoleSize& size) {
  io.required("height", size.height);
  io.required("width", size.width);
}

template <class Io>
void fields(Io& io, IoPriority& priority) {
  io.required("class", priority.io_class);
  io.field("priority", priority.priority);
}

template <class Io>
void fields(Io& io, Scheduler& scheduler) {
  io.required("policy", scheduler.policy);
  io.field("nice", scheduler.nice);
  io.field("priority", scheduler.priority);
  io.field("flags", scheduler.flags);
  io.field("runtime", scheduler.runtime);
  io.field("deadline", scheduler.deadline);
  io.field("period", scheduler.period);
}

template <class Io>
void fields(Io& io, ExecCpuAffinity& affinity) {
  io.field("initial", affinity.initial);
  io.field("final", affinity.final);
}

template <class Io>
void fields(Io& io, Process& process) {
  io.field("terminal", process.terminal);
  io.optional("consoleSize", process.console_size);
  io.object("user", [&](Io& user) { fields(user, process.user); });
  io.field("args", process.args);
  io.refused("commandLine", "it is for Windows");
  io.field("env", process.env);
  io.required("cwd", process.cwd);
  io.object("capabilities", [&](Io& caps) { fields(caps, process.capabilities); });
  io.list("rlimits", process.rlimits);
  io.field("noNewPrivileges", process.no_new_privileges);
  io.field("oomScoreAdj", process.oom_score_adj);
  io.field("apparmorProfile", process.apparmor_profile);
  io.field("selinuxLabel", process.selinux_label);
  io.optional("ioPriority", process.io_priority);
  io.optional("scheduler", process.scheduler);
  io.optional("execCPUAffinity", process.exec_cpu_affinity);
}

template <class Io>
void fields(Io& io, Mount& mount) {
  io.required("destination", mount.destination);
  io.field("type", mount.type);
  io.field("source", mount.source);
  io.field("options", mount.options);
  io.list("uidMappings", mount.uid_mappings);
  io.list("gidMappings", mount.gid_mappings);
}

template <class Io>
void fields(Io& io, Hook& hook) {
  io.required("path", hook.path);
  io.field("args", hook.args);
  io.field("env", hook.env);
  io.field("timeout", hook.timeout);
}

template <class Io>
void fields(Io& io, Hooks& hooks) {
  io.list("prestart", hooks.prestart);
  io.list("createRuntime", hooks.create_runtime);
  io.list("createContainer", hooks.create_container);
  io.list("startContainer", hooks.start_container);
  io.list("poststart", hooks.poststart);
  io.list("poststop", hooks.poststop);
}

template <class Io>
void fields(Io& io, Spec& spec) {
  io.required("ociVersion", spec.version);
  io.object("root", [&](Io& root) {
    root.required("path", spec.root.path);
    root.field("readonly", spec.root.readonly);
  });
  io.object("process", [&](Io& process) { fields(process, spec.process); });
  io.field("hostname", spec.hostname);
  io.field("domainname", spec.domainname);
  io.list("mounts", spec.mounts);
  io.object("hooks", [&](Io& hooks) { fields(hooks, spec.hooks); });
  io.object("linux", [&](Io& linux) { fields(linux, spec.linux); });
  io.field("annotations", spec.annotations);
}

}  // namespace strata::oci
