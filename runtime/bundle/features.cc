#include "runtime/bundle/features.h"

#include "runtime/bundle/container.h"
#include "runtime/linux/capabilities.h"
#include "unionfs/base/json.h"

namespace strata::bundle {
namespace {

OrderedJson capabilities() {
  OrderedJson names = OrderedJson::array();
  constexpr unsigned kLastCapability = 40;  // CAP_CHECKPOINT_RESTORE
  for (unsigned bit = 0; bit <= kLastCapability; ++bit)
    names.push_back(linux::capability_names(linux::CapabilityMask{1} << bit));
  return names;
}

// mount_options.cc reads them.
OrderedJson mount_options() {
  return {"async",       "atime",          "bind",        "defaults",
          "dev",         "diratime",       "dirsync",     "exec",
          "idmap",       "iversion",       "lazytime",    "loud",
          "mand",        "noatime",        "nodev",       "nodiratime",
          "noexec",      "noiversion",     "nolazytime",  "nomand",
          "norelatime",  "nostrictatime",  "nosuid",      "nosymfollow",
          "private",     "ratime",         "rbind",       "rdev",
          "rdiratime",   "relatime",       "rexec",       "ridmap",
          "rnoatime",    "rnodev",         "rnodiratime", "rnoexec",
          "rnorelatime", "rnostrictatime", "rnosuid",     "rnosymfollow",
          "ro",          "rprivate",       "rrelatime",   "rro",
          "rrw",         "rshared",        "rslave",      "rstrictatime",
          "rsuid",       "rsymfollow",     "runbindable", "rw",
          "shared",      "silent",         "slave",       "strictatime",
          "suid",        "symfollow",      "sync",        "tmpcopyup",
          "unbindable"};
}

OrderedJson seccomp() {
  return {{"enabled", true},
          {"actions",
           {"SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO", "SCMP_ACT_KILL", "SCMP_ACT_KILL_PROCESS",
            "SCMP_ACT_KILL_THREAD", "SCMP_ACT_LOG", "SCMP_ACT_NOTIFY", "SCMP_ACT_TRACE",
            "SCMP_ACT_TRAP"}},
          {"operators",
           {"SCMP_CMP_EQ", "SCMP_CMP_GE", "SCMP_CMP_GT", "SCMP_CMP_LE", "SCMP_CMP_LT",
            "SCMP_CMP_MASKED_EQ", "SCMP_CMP_NE"}}};
}

}  // namespace

std::string features_json() {
  const OrderedJson json{
      {"ociVersionMin", "1.0.0"},
      {"ociVersionMax", kOciVersion},
      {"hooks",
       {"prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"}},
      {"mountOptions", mount_options()},
      {"linux",
       {{"namespaces", {"cgroup", "ipc", "mount", "network", "pid", "time", "user", "uts"}},
        {"capabilities", capabilities()},
        {"cgroup",
         {{"v1", true}, {"v2", true}, {"systemd", false}, {"systemdUser", false}, {"rdma", true}}},
        {"seccomp", seccomp()},
        {"apparmor", {{"enabled", true}}},
        {"selinux", {{"enabled", true}}},
        {"intelRdt", {{"enabled", false}}},
        {"mountExtensions", {{"idmap", {{"enabled", true}}}}}}},
      {"annotations", {{"org.opencontainers.runc.checkpoint.enabled", "false"}}},
  };
  constexpr int kIndent = 2;
  return json.dump(kIndent);
}

}  // namespace strata::bundle
