// What a container's first process sees, as lines "section<TAB>text" on standard output. Static and
// without any help of the image, so that it runs in an empty one.
//
//   view [FILE…]    with the content of these files, too
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <termios.h>
#include <unistd.h>

extern char** environ;

static size_t slurp(const char* path, char* text, size_t size) {
  const int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return (size_t)snprintf(text, size, "(%s)\n", strerrorname_np(errno));
  size_t used = 0;
  for (ssize_t n; used < size - 1 && (n = read(fd, text + used, size - 1 - used)) > 0;)
    used += (size_t)n;
  close(fd);
  text[used] = '\0';
  return used;
}

static void print_lines(const char* section, const char* name, const char* path) {
  static char text[1 << 18];
  slurp(path, text, sizeof text);
  char* rest = NULL;
  for (char* line = strtok_r(text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest))
    printf("%s\t%s%s%s\n", section, name, *name != '\0' ? " " : "", line);
}

// mountinfo without what is only a number of this boot; its fields: proc_pid_mountinfo(5).
static void print_mounts(void) {
  static char text[1 << 18];
  slurp("/proc/self/mountinfo", text, sizeof text);
  char* rest = NULL;
  for (char* line = strtok_r(text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
    char *field[32], *more = NULL;
    int count = 0;
    for (char* f = strtok_r(line, " ", &more); f != NULL && count < 32;
         f = strtok_r(NULL, " ", &more))
      field[count++] = f;
    int dash = 6;
    while (dash < count && strcmp(field[dash], "-") != 0) ++dash;
    if (dash + 3 >= count) continue;
    printf("mounts\t%s %s %s %s %s %s", field[4], field[dash + 1], field[3], field[5],
           field[dash + 2], field[dash + 3]);
    for (int i = 6; i < dash; ++i) printf(" %.*s", (int)strcspn(field[i], ":"), field[i]);
    puts("");
  }
}

static void print_node(const char* section, const char* path, const char* name) {
  struct stat st;
  char target[256] = "";
  if (lstat(path, &st) < 0) return;
  if (S_ISLNK(st.st_mode) && readlink(path, target, sizeof target - 1) < 0) return;
  printf("%s\t%s %06o %u:%u", section, name, st.st_mode, st.st_uid, st.st_gid);
  if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))
    printf(" %u:%u", major(st.st_rdev), minor(st.st_rdev));
  printf("%s%s\n", *target != '\0' ? " -> " : "", target);
}

static void print_tree(const char* section, const char* path, int depth) {
  print_node(section, path, path);
  DIR* directory = depth > 0 ? opendir(path) : NULL;
  if (directory == NULL) return;
  for (const struct dirent* entry; (entry = readdir(directory)) != NULL;) {
    if (entry->d_name[0] == '.') continue;
    char below[512];
    snprintf(below, sizeof below, "%s/%s", path, entry->d_name);
    struct stat st;
    if (lstat(below, &st) == 0 && S_ISDIR(st.st_mode))
      print_tree(section, below, depth - 1);
    else
      print_node(section, below, below);
  }
  closedir(directory);
}

static void print_identity(void) {
  uid_t r, e, s;
  gid_t groups[64];
  getresuid(&r, &e, &s);
  printf("identity\tuid %u %u %u\n", r, e, s);
  getresgid(&r, &e, &s);
  printf("identity\tgid %u %u %u\n", r, e, s);
  const int count = getgroups(64, groups);
  printf("identity\tgroups");
  for (int i = 0; i < count; ++i) printf(" %u", groups[i]);
  puts("");
  print_lines("identity", "uid_map", "/proc/self/uid_map");
  print_lines("identity", "gid_map", "/proc/self/gid_map");
  print_lines("identity", "setgroups", "/proc/self/setgroups");
}

static void print_capabilities(void) {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[2];
  memset(data, 0, sizeof data);
  syscall(SYS_capget, &header, data);
  printf("capabilities\teffective %08x%08x\n", data[1].effective, data[0].effective);
  printf("capabilities\tpermitted %08x%08x\n", data[1].permitted, data[0].permitted);
  printf("capabilities\tinheritable %08x%08x\n", data[1].inheritable, data[0].inheritable);
  unsigned long long bounding = 0, ambient = 0;
  for (int cap = 0; cap < 64; ++cap) {
    if (prctl(PR_CAPBSET_READ, cap, 0, 0, 0) == 1) bounding |= 1ULL << cap;
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, cap, 0, 0) == 1) ambient |= 1ULL << cap;
  }
  printf("capabilities\tbounding %016llx\ncapabilities\tambient %016llx\n", bounding, ambient);
  printf("process\tno_new_privs %d\n", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
  printf("process\tsecurebits %d\n", prctl(PR_GET_SECUREBITS, 0, 0, 0, 0));
  printf("process\tdumpable %d\n", prctl(PR_GET_DUMPABLE, 0, 0, 0, 0));
  int death_signal = 0, subreaper = 0;
  prctl(PR_GET_PDEATHSIG, &death_signal);
  prctl(PR_GET_CHILD_SUBREAPER, &subreaper);
  printf("process\tparent death signal %d subreaper %d\n", death_signal, subreaper);
  print_lines("status", "", "/proc/self/status");
}

static void print_limits(void) {
  for (int i = 0; i < 16; ++i) {
    struct rlimit limit;
    getrlimit((__rlimit_resource_t)i, &limit);
    printf("limits\t%d %lld %lld\n", i, (long long)limit.rlim_cur, (long long)limit.rlim_max);
  }
}

struct attributes {
  unsigned size, policy;
  unsigned long long flags;
  int nice;
  unsigned priority;
  unsigned long long runtime, deadline, period;
};

static void print_scheduling(void) {
  struct attributes a;
  memset(&a, 0, sizeof a);
  syscall(SYS_sched_getattr, 0, &a, sizeof a, 0);
  printf("scheduling\tpolicy %u flags %llu nice %d priority %u runtime %llu %llu %llu\n", a.policy,
         a.flags, a.nice, a.priority, a.policy == 6 ? a.runtime : 0, a.deadline, a.period);
  printf("scheduling\tio priority %ld\n", syscall(SYS_ioprio_get, 1, 0));
  cpu_set_t cpus;
  sched_getaffinity(0, sizeof cpus, &cpus);
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
    if (CPU_ISSET(cpu, &cpus)) printf("scheduling\tcpu %d\n", cpu);
  printf("scheduling\tpersonality %#x\n", personality(0xffffffff));
  print_lines("scheduling", "oom_score_adj", "/proc/self/oom_score_adj");
  print_lines("scheduling", "timens", "/proc/self/timens_offsets");
}

static void print_process(void) {
  char text[4096];
  const mode_t mask = umask(0);
  printf("process\tumask %04o\n", mask);
  printf("process\tcwd %s\n", getcwd(text, sizeof text) != NULL ? text : "(none)");
  printf("process\tpid %d session leader %d group leader %d\n", getpid(), getsid(0) == getpid(),
         getpgid(0) == getpid());
  struct utsname name;
  uname(&name);
  printf("process\thostname %s domainname %s machine %s\n", name.nodename, name.domainname,
         name.machine);
  struct winsize window;
  memset(&window, 0, sizeof window);
  if (isatty(0) && ioctl(0, TIOCGWINSZ, &window) == 0)
    printf("process\tterminal %u %u\n", window.ws_row, window.ws_col);
  for (char** variable = environ; *variable != NULL; ++variable)
    printf("environment\t%s\n", *variable);
  for (int fd = 0; fd < 64; ++fd) {
    struct stat st;
    if (fstat(fd, &st) == 0) printf("descriptors\t%d %06o\n", fd, st.st_mode & S_IFMT);
  }
  for (int signal = 1; signal < 65; ++signal) {
    struct sigaction action;
    if (sigaction(signal, NULL, &action) == 0 && action.sa_handler == SIG_IGN)
      printf("signals\tignored %d\n", signal);
  }
}

static void print_namespaces(void) {
  const char* names[] = {"cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"};
  for (size_t i = 0; i < sizeof names / sizeof *names; ++i) {
    char path[64], target[64] = "";
    snprintf(path, sizeof path, "/proc/self/ns/%s", names[i]);
    if (readlink(path, target, sizeof target - 1) > 0) printf("namespaces\t%s\n", target);
  }
  print_lines("network", "", "/proc/net/if_inet6");
  print_lines("network", "", "/proc/net/route");
}

// What can be done with a path: read, written, or neither.
static void print_path(const char* path) {
  struct stat st;
  if (stat(path, &st) < 0) return;
  printf("paths\t%s %06o", path, st.st_mode);
  if (S_ISDIR(st.st_mode)) {
    int entries = 0;
    DIR* directory = opendir(path);
    for (struct dirent* e; directory != NULL && (e = readdir(directory)) != NULL;) ++entries;
    if (directory != NULL) closedir(directory);
    printf(" %s", entries > 2 ? "filled" : "empty");
    char probe[256];
    snprintf(probe, sizeof probe, "%s/probe", path);
    const int made = mkdir(probe, 0700);
    printf(" mkdir %s\n", made == 0 ? "done" : strerrorname_np(errno));
    if (made == 0) rmdir(probe);
    return;
  }
  const int in = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  char byte;
  if (in < 0)
    printf(" open %s", strerrorname_np(errno));
  else
    printf(" read %s", read(in, &byte, 1) > 0 ? "something" : "nothing");
  if (in >= 0) close(in);
  const int out = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
  printf(" write %s\n", out >= 0 ? "open" : strerrorname_np(errno));
  if (out >= 0) close(out);
}

static void print_paths(void) {
  const char* paths[] = {"/",
                         "/proc/acpi",
                         "/proc/asound",
                         "/proc/interrupts",
                         "/proc/kcore",
                         "/proc/keys",
                         "/proc/latency_stats",
                         "/proc/timer_list",
                         "/proc/timer_stats",
                         "/proc/sched_debug",
                         "/proc/scsi",
                         "/proc/bus",
                         "/proc/fs",
                         "/proc/irq",
                         "/proc/sys",
                         "/proc/sys/kernel/hostname",
                         "/proc/sysrq-trigger",
                         "/proc/self/oom_score_adj",
                         "/sys",
                         "/sys/firmware",
                         "/sys/devices/virtual/powercap",
                         "/sys/fs/cgroup",
                         "/masked",
                         "/masked-dir",
                         "/readonly",
                         "/readonly/below",
                         "/tmp",
                         "/mnt",
                         "/volume",
                         "/volume/below",
                         "/dev/null",
                         "/dev/zero",
                         "/dev/full",
                         "/dev/fuse",
                         "/dev/kvm",
                         "/dev/net/tun",
                         "/dev/loop-control",
                         "/made-node"};
  for (size_t i = 0; i < sizeof paths / sizeof *paths; ++i) print_path(paths[i]);
}

static void print_settings(void) {
  const char* names[] = {"net/ipv4/ip_forward",
                         "net/ipv4/ping_group_range",
                         "net/ipv4/ip_unprivileged_port_start",
                         "net/core/somaxconn",
                         "kernel/msgmax",
                         "kernel/sem",
                         "kernel/shmmax",
                         "kernel/shm_rmid_forced",
                         "fs/mqueue/msg_max",
                         "kernel/domainname"};
  for (size_t i = 0; i < sizeof names / sizeof *names; ++i) {
    char path[128];
    snprintf(path, sizeof path, "/proc/sys/%s", names[i]);
    print_lines("settings", names[i], path);
  }
}

// Limits where the container sees its cgroups, by the files' names in v1 and v2.
static void print_cgroups(void) {
  const char* files[] = {"memory/memory.limit_in_bytes",
                         "memory/memory.memsw.limit_in_bytes",
                         "memory/memory.soft_limit_in_bytes",
                         "memory/memory.swappiness",
                         "memory/memory.oom_control",
                         "memory/memory.kmem.limit_in_bytes",
                         "memory/memory.kmem.tcp.limit_in_bytes",
                         "memory/memory.use_hierarchy",
                         "cpu/cpu.shares",
                         "cpu/cpu.cfs_quota_us",
                         "cpu/cpu.cfs_period_us",
                         "cpu/cpu.cfs_burst_us",
                         "cpu/cpu.rt_runtime_us",
                         "cpu/cpu.rt_period_us",
                         "cpu/cpu.idle",
                         "cpuset/cpuset.cpus",
                         "cpuset/cpuset.mems",
                         "pids/pids.max",
                         "blkio/blkio.weight",
                         "blkio/blkio.bfq.weight",
                         "blkio/blkio.leaf_weight",
                         "blkio/blkio.throttle.read_bps_device",
                         "blkio/blkio.throttle.write_bps_device",
                         "blkio/blkio.throttle.read_iops_device",
                         "blkio/blkio.throttle.write_iops_device",
                         "hugetlb/hugetlb.2MB.limit_in_bytes",
                         "hugetlb/hugetlb.1GB.limit_in_bytes",
                         "net_cls/net_cls.classid",
                         "net_prio/net_prio.ifpriomap",
                         "devices/devices.list",
                         "memory.max",
                         "memory.low",
                         "memory.swap.max",
                         "cpu.weight",
                         "cpu.max",
                         "cpu.idle",
                         "cpuset.cpus",
                         "pids.max",
                         "io.max",
                         "memory.high",
                         "rdma.max"};
  for (size_t i = 0; i < sizeof files / sizeof *files; ++i) {
    char path[256];
    snprintf(path, sizeof path, "/sys/fs/cgroup/%s", files[i]);
    if (access(path, F_OK) == 0) print_lines("cgroups", files[i], path);
  }
}

int main(int argc, char** argv) {
  for (int i = 0; i < argc; ++i) printf("arguments\t%d %s\n", i, argv[i]);
  print_mounts();
  print_process();
  print_identity();
  print_capabilities();
  print_limits();
  print_scheduling();
  print_namespaces();
  print_tree("devices", "/dev", 3);
  print_paths();
  print_settings();
  print_cgroups();
  for (int i = 1; i < argc; ++i) print_lines("files", argv[i], argv[i]);
  const char* nodes[] = {"/made-node", "/made-fifo", "/proc",        "/sys",         "/tmp",
                         "/mnt",       "/volume",    "/volume/file", "/volume/below"};
  for (size_t i = 0; i < sizeof nodes / sizeof *nodes; ++i) print_node("files", nodes[i], nodes[i]);
  return 0;
}
