#include "tests/bundle/compare/variations.h"

#include <algorithm>

namespace strata::bundle {
namespace {

Json& linux_of(Json& config) {
  return config["linux"];
}
Json& process(Json& config) {
  return config["process"];
}

void add_mount(Json& config, Json mount) {
  config["mounts"].push_back(std::move(mount));
}

Json* mount_at(Json& config, const std::string& destination) {
  for (auto& mount : config["mounts"])
    if (mount["destination"] == destination) return &mount;
  return nullptr;
}

void with_user_namespace(Json& config) {
  if (linux_of(config).contains("uidMappings")) return;  // of another variation
  linux_of(config)["namespaces"].push_back({{"type", "user"}});
  linux_of(config)["uidMappings"] = {{{"containerID", 0}, {"hostID", 0}, {"size", 1000}},
                                     {{"containerID", 1000}, {"hostID", 101000}, {"size", 500}}};
  linux_of(config)["gidMappings"] = {{{"containerID", 0}, {"hostID", 0}, {"size", 2000}}};
}

Json bind(const std::string& destination, std::vector<std::string> options) {
  return {{"destination", destination},
          {"type", "bind"},
          {"source", "$BUNDLE/volume"},
          {"options", std::move(options)}};
}

Json tmpfs(std::vector<std::string> options) {
  return {{"destination", "/mnt"},
          {"type", "tmpfs"},
          {"source", "tmpfs"},
          {"options", std::move(options)}};
}

Json hook_that_writes(const std::string& kind) {
  return {{"path", "/bin/sh"},
          {"args", {"sh", "-c", "cat >/dev/null; echo " + kind + " $WORD >> $BUNDLE/rootfs/hooks"}},
          {"env", {"PATH=/bin:/usr/bin", "WORD=word", "BUNDLE=$BUNDLE"}},
          {"timeout", 10}};
}

// A variation that sets one member of `process`, `linux` or `linux.resources`.
std::function<void(Json&)> set(const std::string& pointer, Json value) {
  return [pointer, value](Json& config) { config[Json::json_pointer(pointer)] = value; };
}

std::vector<Variation> of_process() {
  return {
      {"plain", [](Json&) {}},
      {"args", set("/process/args", {"/view", "one", "two words", ""}), kBoth, "2 two words"},
      {"env", set("/process/env", {"PATH=/bin", "A=b", "EMPTY=", "TERM=x"}), kBoth, "A=b"},
      {"cwd", set("/process/cwd", "/tmp"), kBoth, "cwd /tmp"},
      {"cwd made", set("/process/cwd", "/made/deeper"), kBoth, "cwd /made/deeper"},
      {"cwd made on a read-only root",
       [](Json& config) {
         process(config)["cwd"] = "/made/deeper";
         config["root"]["readonly"] = true;
       },
       kBoth, "cwd /made/deeper"},
      {"user", set("/process/user", {{"uid", 12}, {"gid", 34}, {"additionalGids", {34, 56, 7}}}),
       kBoth, "groups 7 34 56"},
      {"umask", set("/process/user", {{"uid", 0}, {"gid", 0}, {"umask", 0027}}), kBoth,
       "umask 0027"},
      {"capabilities",
       [](Json& config) {
         process(config)["capabilities"] = {{"bounding", {"CAP_CHOWN", "CAP_KILL", "CAP_SETUID"}},
                                            {"effective", {"CAP_CHOWN"}},
                                            {"permitted", {"CAP_CHOWN", "CAP_KILL"}}};
       },
       kBoth, "bounding 00000000000000a1"},
      {"inheritable and ambient",
       [](Json& config) {
         process(config)["user"] = {{"uid", 5}, {"gid", 5}};
         for (const char* kind : {"bounding", "effective", "permitted", "inheritable", "ambient"})
           process(config)["capabilities"][kind] = {"CAP_KILL", "CAP_NET_BIND_SERVICE"};
       },
       kBoth, "ambient 0000000000000420"},
      {"no capabilities", set("/process/capabilities", Json::object()), kBoth,
       "effective 0000000000000000"},
      {"rlimits",
       set("/process/rlimits", {{{"type", "RLIMIT_NOFILE"}, {"soft", 100}, {"hard", 200}},
                                {{"type", "RLIMIT_CORE"}, {"soft", 0}, {"hard", 0}},
                                {{"type", "RLIMIT_STACK"}, {"soft", 1 << 20}, {"hard", 2 << 20}},
                                {{"type", "RLIMIT_NPROC"}, {"soft", 500}, {"hard", 600}}}),
       kBoth, "7 100 200"},
      {"noNewPrivileges off", set("/process/noNewPrivileges", false), kBoth, "no_new_privs 0"},
      {"oomScoreAdj", set("/process/oomScoreAdj", 321), kBoth, "oom_score_adj 321"},
      {"terminal",
       [](Json& config) {
         process(config)["terminal"] = true;
         process(config)["consoleSize"] = {{"height", 31}, {"width", 97}};
       },
       kNone, "terminal "},
      {"ioPriority", set("/process/ioPriority", {{"class", "IOPRIO_CLASS_BE"}, {"priority", 6}}),
       kNone, "io priority 16390"},
      {"scheduler",
       set("/process/scheduler", {{"policy", "SCHED_BATCH"}, {"nice", 7}, {"priority", 0}}), kNone,
       "policy 3 flags 0 nice 7"},
      {"scheduler flags",
       set("/process/scheduler",
           {{"policy", "SCHED_OTHER"}, {"nice", 2}, {"flags", {"SCHED_FLAG_RESET_ON_FORK"}}}),
       kNone, "policy 0 flags 1 nice 2"},
      // Times of a deadline: 100 ms need a permission that a busy machine may refuse.
      {"scheduler deadline",
       set("/process/scheduler", {{"policy", "SCHED_DEADLINE"},
                                  {"runtime", 1'000'000},
                                  {"deadline", 100'000'000},
                                  {"period", 1}}),
       kNone, "", "process.scheduler"},
      {"execCPUAffinity of exec only",
       set("/process/execCPUAffinity", {{"initial", "0"}, {"final", "0"}})},
      {"apparmorProfile", set("/process/apparmorProfile", "no-such-profile"), kNone, "",
       "process.apparmorProfile"},
      {"selinuxLabel", set("/process/selinuxLabel", "a:b:c:s0"), kNone, "", "process.selinuxLabel"},
      {"commandLine", set("/process/commandLine", "dir"), kNone, "", "process.commandLine"},
  };
}

std::vector<Variation> of_mounts() {
  return {
      {"root read-only", set("/root/readonly", true), kBoth, "/ 040755 filled mkdir EROFS"},
      {"hostname", set("/hostname", "box"), kBoth, "hostname box"},
      {"domainname", set("/domainname", "example.org"), kNone, "domainname example.org"},
      {"annotations", set("/annotations", {{"key", "value"}})},
      {"bind",
       [](Json& config) {
         add_mount(config, bind("/volume", {"rbind", "rw", "rprivate"}));
       },
       kBoth, "/volume "},
      {"bind with options",
       [](Json& config) {
         add_mount(config, bind("/volume", {"bind", "ro", "nosuid", "nodev", "noexec", "noatime"}));
       },
       kBoth, "/volume "},
      {"bind of a missing directory",
       [](Json& config) {
         add_mount(config, bind("/new/one", {"rbind", "ro"}));
       },
       kBoth, "/new/one "},
      {"recursive options",
       [](Json& config) {
         add_mount(config, bind("/volume", {"rbind", "rro", "rnosuid"}));
       },
       kCrun, "/volume "},
      {"shared",
       [](Json& config) {
         add_mount(config, bind("/volume", {"rbind", "rshared"}));
       },
       kRunc, "shared"},
      {"tmpfs",
       [](Json& config) {
         add_mount(config, tmpfs({"nosuid", "nodev", "noexec", "size=64k", "mode=1711", "uid=12"}));
       },
       kBoth, "size=64k"},
      {"tmpfs with a copy",
       [](Json& config) {
         auto mount = tmpfs({"tmpcopyup", "size=1m", "mode=755"});
         mount["destination"] = "/masked-dir";
         add_mount(config, mount);
       },
       kBoth, "/masked-dir"},
      {"mounts in order",
       [](Json& config) {
         add_mount(config, tmpfs({"size=64k"}));
         add_mount(config, bind("/mnt/below", {"rbind"}));
       },
       kBoth, "/mnt/below"},
      {"no /dev/shm",
       [](Json& config) {
         std::erase_if(config["mounts"].get_ref<Json::array_t&>(),
                       [](const Json& m) { return m["destination"] == "/dev/shm"; });
       }},
      {"read-only /dev",
       [](Json& config) { (*mount_at(config, "/dev"))["options"].push_back("ro"); }},
      {"no /sys",
       [](Json& config) {
         std::erase_if(config["mounts"].get_ref<Json::array_t&>(), [](const Json& m) {
           return m["destination"].get<std::string>().starts_with("/sys");
         });
       }},
      {"ID-mapped mount",
       [](Json& config) {
         auto mount = bind("/volume", {"bind"});
         mount["uidMappings"] = {{{"containerID", 0}, {"hostID", 77}, {"size", 1}}};
         mount["gidMappings"] = {{{"containerID", 0}, {"hostID", 78}, {"size", 1}}};
         add_mount(config, mount);
       },
       kNone, "/volume/file 100644 77:78"},
      {"hooks",
       [](Json& config) {
         for (const char* kind : {"prestart", "createRuntime", "createContainer"})
           config["hooks"][kind] = {hook_that_writes(kind)};
         for (const char* kind : {"poststart", "poststop"})  // at no known time of the program's
           config["hooks"][kind] = {
               {{"path", "/bin/true"}, {"args", {"true"}}, {"env", {"A=b"}}, {"timeout", 10}}};
         config["hooks"]["startContainer"] = {
             {{"path", "/view"}, {"args", {"view"}}, {"env", {"A=b"}}, {"timeout", 10}}};
         process(config)["args"] = {"/view", "/hooks"};
       },
       kBoth, "createContainer word"},
  };
}

std::vector<Variation> of_linux() {
  return {
      {"devices",
       [](Json& config) {
         linux_of(config)["devices"] = {
             {{"path", "/dev/fuse"},
              {"type", "c"},
              {"major", 10},
              {"minor", 229},
              {"fileMode", 0640},
              {"uid", 3},
              {"gid", 4}},
             {{"path", "/made-node"},
              {"type", "b"},
              {"major", 7},
              {"minor", 99},
              {"fileMode", 0660},
              {"uid", 0},
              {"gid", 0}},
             {{"path", "/made-fifo"}, {"type", "p"}, {"fileMode", 0600}, {"uid", 0}, {"gid", 0}}};
       },
       kBoth, "/dev/fuse 020640 3:4 10:229"},
      {"user namespace", with_user_namespace, kBoth, "uid_map       1000     101000        500"},
      {"user namespace and user",
       [](Json& config) {
         with_user_namespace(config);
         process(config)["user"] = {{"uid", 1000}, {"gid", 1000}, {"additionalGids", {5}}};
         process(config)["oomScoreAdj"] = 100;
         process(config)["rlimits"] = {{{"type", "RLIMIT_NOFILE"}, {"soft", 100}, {"hard", 200}}};
       },
       kBoth, "uid 1000 1000 1000"},
      {"no network namespace",
       [](Json& config) {
         std::erase_if(linux_of(config)["namespaces"].get_ref<Json::array_t&>(),
                       [](const Json& ns) { return ns["type"] == "network"; });
       },
       kBoth, "net host"},
      {"no pid namespace",
       [](Json& config) {
         std::erase_if(linux_of(config)["namespaces"].get_ref<Json::array_t&>(),
                       [](const Json& ns) { return ns["type"] == "pid"; });
       },
       kBoth, "pid host"},
      {"namespaces by path",
       [](Json& config) {
         for (auto& ns : linux_of(config)["namespaces"])
           for (const auto& [type, file] :
                {std::pair("network", "net"), {"ipc", "ipc"}, {"uts", "uts"}})
             if (ns["type"] == type) ns["path"] = std::string("/proc/$PID/ns/") + file;
       },
       kBoth, "uts other"},
      {"time namespace",
       [](Json& config) {
         linux_of(config)["namespaces"].push_back({{"type", "time"}});
         linux_of(config)["timeOffsets"] = {{"monotonic", {{"secs", 1000}, {"nanosecs", 5}}},
                                            {"boottime", {{"secs", 2000}}}};
       },
       kNone, "timens monotonic        1000         5"},
      {"sysctl",
       set("/linux/sysctl", {{"net.ipv4.ip_forward", "1"},
                             {"net.ipv4.ping_group_range", "0 100"},
                             {"kernel.msgmax", "10000"},
                             {"kernel.shm_rmid_forced", "1"},
                             {"fs.mqueue.msg_max", "20"}}),
       kBoth, "kernel/msgmax 10000"},
      {"sysctl of the host", set("/linux/sysctl", {{"vm.swappiness", "1"}}), kNone, "",
       "linux.sysctl"},
      {"maskedPaths",
       set("/linux/maskedPaths",
           {"/masked", "/masked-dir", "/proc/kcore", "/not/there", "/proc/keys"}),
       kBoth, "/masked-dir 04"},
      {"readonlyPaths", set("/linux/readonlyPaths", {"/readonly", "/not/there", "/proc/sys"}),
       kBoth, "/readonly 040755 filled mkdir EROFS"},
      {"no masks",
       [](Json& config) {
         linux_of(config).erase("maskedPaths");
         linux_of(config).erase("readonlyPaths");
       }},
      {"rootfsPropagation slave", set("/linux/rootfsPropagation", "rslave")},
      {"shared below a slave root",
       [](Json& config) {
         add_mount(config, bind("/volume", {"rbind", "rshared"}));
         linux_of(config)["rootfsPropagation"] = "rslave";
       },
       kRunc, "shared"},
      {"rootfsPropagation shared", set("/linux/rootfsPropagation", "shared"), kCrun, "shared"},
      {"personality", set("/linux/personality", {{"domain", "LINUX32"}}), kCrun, "personality 0x8"},
      {"personality flags",
       set("/linux/personality", {{"domain", "LINUX"}, {"flags", {"NO_SUCH_FLAG"}}}), kNone, "",
       "linux.personality.flags"},
      {"seccomp",
       set("/linux/seccomp",
           {{"defaultAction", "SCMP_ACT_ALLOW"},
            {"architectures", {"SCMP_ARCH_X86_64", "SCMP_ARCH_X86"}},
            {"syscalls",
             {{{"names", {"getcwd"}}, {"action", "SCMP_ACT_ERRNO"}, {"errnoRet", 2}},
              {{"names", {"personality"}},
               {"action", "SCMP_ACT_ERRNO"},
               {"args",
                {{{"index", 0},
                  {"value", 0xffffffff},
                  {"valueTwo", 0},
                  {"op", "SCMP_CMP_EQ"}}}}}}}}),
       kBoth, "cwd (none)"},
      {"seccomp by default",
       set("/linux/seccomp",
           {{"defaultAction", "SCMP_ACT_LOG"}, {"defaultErrnoRet", 1}, {"flags", Json::array()}}),
       kNone, "", "linux.seccomp.defaultErrnoRet"},
      {"seccomp flags",
       set("/linux/seccomp",
           {{"defaultAction", "SCMP_ACT_ALLOW"},
            {"flags", {"SECCOMP_FILTER_FLAG_LOG"}},
            {"syscalls", {{{"names", {"getcwd"}}, {"action", "SCMP_ACT_ERRNO"}}}}}),
       kCrun, "cwd (none)"},
      {"seccomp listener",
       set("/linux/seccomp",
           {{"defaultAction", "SCMP_ACT_ALLOW"},
            {"listenerPath", "/no/such/socket"},
            {"listenerMetadata", "data"},
            {"syscalls", {{{"names", {"getcwd"}}, {"action", "SCMP_ACT_NOTIFY"}}}}}),
       kNone, "", "/no/such/socket"},
      {"mountLabel", set("/linux/mountLabel", "a:b:c:s0"), kNone, "", "linux.mountLabel"},
      {"intelRdt", set("/linux/intelRdt", {{"closID", "x"}}), kNone, "", "linux.intelRdt"},
      {"netDevices", set("/linux/netDevices", {{"eth0", Json::object()}}), kNone, "",
       "linux.netDevices"},
      {"memoryPolicy", set("/linux/memoryPolicy", {{"mode", "MPOL_BIND"}}), kNone, "",
       "linux.memoryPolicy"},
      {"cgroupsPath",
       [](Json& config) {
         auto& path = linux_of(config)["cgroupsPath"];
         path = path.get<std::string>() + "-other";
       }},
  };
}

std::vector<Variation> of_resources() {
  const auto throttle = [](const char* member) {
    return set(std::string("/linux/resources/blockIO/") + member,
               {{{"major", 254}, {"minor", 0}, {"rate", 1048576}}});
  };
  return {
      {"memory.limit", set("/linux/resources/memory/limit", 64 << 20), kBoth, "67108864"},
      {"memory.reservation",
       set("/linux/resources/memory", {{"limit", 64 << 20}, {"reservation", 32 << 20}}), kBoth,
       "33554432"},
      {"memory.swap", set("/linux/resources/memory", {{"limit", 64 << 20}, {"swap", 96 << 20}}),
       kBoth, "memory"},
      {"memory.kernel", set("/linux/resources/memory/kernel", 64 << 20), kNone},
      {"memory.kernelTCP", set("/linux/resources/memory/kernelTCP", 16 << 20), kNone, "16777216"},
      {"memory.swappiness", set("/linux/resources/memory/swappiness", 40), kBoth,
       "memory.swappiness 40"},
      {"memory.disableOOMKiller", set("/linux/resources/memory/disableOOMKiller", true), kBoth,
       "oom_kill_disable 1"},
      {"memory.useHierarchy", set("/linux/resources/memory/useHierarchy", true)},
      {"memory.checkBeforeUpdate", set("/linux/resources/memory/checkBeforeUpdate", true)},
      {"cpu.shares", set("/linux/resources/cpu/shares", 512), kBoth, "cpu.shares 512"},
      {"cpu.quota", set("/linux/resources/cpu", {{"quota", 50000}, {"period", 100000}}), kBoth,
       "cpu.cfs_quota_us 50000"},
      {"cpu.burst",
       set("/linux/resources/cpu", {{"quota", 50000}, {"period", 100000}, {"burst", 10000}}), kNone,
       "cpu.cfs_burst_us 10000"},
      {"cpu.realtimeRuntime",
       set("/linux/resources/cpu", {{"realtimeRuntime", 950}, {"realtimePeriod", 1000}}), kNone},
      {"cpu.idle", set("/linux/resources/cpu/idle", 1), kNone, "cpu.idle 1"},
      {"cpu.cpus", set("/linux/resources/cpu", {{"cpus", "0"}, {"mems", "0"}}), kBoth,
       "cpuset.cpus 0"},
      {"pids.limit", set("/linux/resources/pids/limit", 77), kBoth, "pids.max 77"},
      {"blockIO.weight", set("/linux/resources/blockIO/weight", 100), kNone},
      {"blockIO.leafWeight", set("/linux/resources/blockIO/leafWeight", 100), kNone, "",
       "linux.resources.blockIO.leafWeight"},
      {"blockIO.weightDevice",
       set("/linux/resources/blockIO/weightDevice",
           {{{"major", 254}, {"minor", 0}, {"weight", 100}, {"leafWeight", 100}}}),
       kNone, "", "linux.resources.blockIO.weightDevice"},
      {"blockIO.throttleReadBpsDevice", throttle("throttleReadBpsDevice"), kBoth,
       "read_bps_device 254:0 1048576"},
      {"blockIO.throttleWriteBpsDevice", throttle("throttleWriteBpsDevice"), kBoth,
       "write_bps_device 254:0 1048576"},
      {"blockIO.throttleReadIOPSDevice", throttle("throttleReadIOPSDevice"), kBoth,
       "read_iops_device 254:0 1048576"},
      {"blockIO.throttleWriteIOPSDevice", throttle("throttleWriteIOPSDevice"), kBoth,
       "write_iops_device 254:0 1048576"},
      {"hugepageLimits",
       set("/linux/resources/hugepageLimits", {{{"pageSize", "2MB"}, {"limit", 4 << 20}}}), kBoth},
      {"network.classID", set("/linux/resources/network/classID", 1048577)},
      {"network.priorities",
       set("/linux/resources/network/priorities", {{{"name", "lo"}, {"priority", 7}}}), kBoth},
      {"rdma", set("/linux/resources/rdma", {{"mlx5_1", {{"hcaHandles", 3}, {"hcaObjects", 4}}}}),
       kNone, "", "linux.resources.rdma"},
      {"unified", set("/linux/resources/unified", {{"memory.high", "1000000"}}), kNone, "",
       "linux.resources.unified"},
      {"device rules",
       set("/linux/resources/devices",
           {{{"allow", false}, {"access", "rwm"}},
            {{"allow", true}, {"type", "c"}, {"major", 10}, {"minor", 229}, {"access", "rwm"}}}),
       kBoth, "c 10:229 rwm"},
      {"all devices", set("/linux/resources/devices", {{{"allow", true}, {"access", "rwm"}}}),
       kBoth, "a *:* rwm"},
  };
}

}  // namespace

Json base_config(const std::string& cgroup) {
  Json config = Json::parse(R"({
    "ociVersion": "1.0.2",
    "root": {"path": "rootfs"},
    "hostname": "base",
    "process": {
      "args": ["/view"], "env": ["PATH=/bin", "HOME=/"], "cwd": "/", "noNewPrivileges": true,
      "user": {"uid": 0, "gid": 0}
    },
    "mounts": [
      {"destination": "/proc", "type": "proc", "source": "proc",
       "options": ["nosuid", "noexec", "nodev"]},
      {"destination": "/dev", "type": "tmpfs", "source": "tmpfs",
       "options": ["nosuid", "strictatime", "mode=755", "size=65536k"]},
      {"destination": "/dev/pts", "type": "devpts", "source": "devpts",
       "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"]},
      {"destination": "/dev/shm", "type": "tmpfs", "source": "shm",
       "options": ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"]},
      {"destination": "/dev/mqueue", "type": "mqueue", "source": "mqueue",
       "options": ["nosuid", "noexec", "nodev"]},
      {"destination": "/sys", "type": "sysfs", "source": "sysfs",
       "options": ["nosuid", "noexec", "nodev", "ro"]},
      {"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup",
       "options": ["nosuid", "noexec", "nodev", "relatime", "ro"]}
    ],
    "linux": {
      "resources": {"devices": [{"allow": false, "access": "rwm"}]},
      "namespaces": [{"type": "pid"}, {"type": "network"}, {"type": "ipc"}, {"type": "uts"},
                     {"type": "mount"}, {"type": "cgroup"}],
      "maskedPaths": ["/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys",
                      "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats",
                      "/proc/sched_debug", "/sys/firmware", "/proc/scsi"],
      "readonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]
    }
  })");
  for (const char* kind : {"bounding", "effective", "permitted"})
    config["process"]["capabilities"][kind] = {"CAP_AUDIT_WRITE", "CAP_KILL",
                                               "CAP_NET_BIND_SERVICE", "CAP_DAC_OVERRIDE"};
  config["linux"]["cgroupsPath"] = cgroup;
  return config;
}

const std::vector<Variation>& variations() {
  static const std::vector<Variation> all = [] {
    std::vector<Variation> gathered;
    for (auto part : {of_process(), of_mounts(), of_linux(), of_resources()})
      gathered.insert(gathered.end(), part.begin(), part.end());
    return gathered;
  }();
  return all;
}

}  // namespace strata::bundle
