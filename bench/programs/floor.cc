// strata-bench-floor: the least work that makes an isolated container out of image layers, as the
// lower bound that every container runtime can be held against.
//
//   strata-bench-floor UPPER WORK LAYER… -- PROGRAM [ARGUMENT…]
//
// Layers stand top first; WORK is an empty directory.
//
// One clone into new mount, pid, network, ipc, uts and cgroup namespaces; a writable overlay of
// the layers as root; a new /proc; a /dev with the six devices that the OCI runtime-spec asks for;
// pivot_root; exec. Nothing else: no cgroup, no capability dropped, no seccomp filter, no /sys, no
// log, no record that the container exists, no clean-up of UPPER.
//
// Raw system calls on purpose, where the library would add checks, fallbacks and error texts: each
// call here is part of what is measured.

#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string_view>

namespace {

struct Plan {
  const char* upper = nullptr;
  const char* work = nullptr;
  std::span<char*> layers;
  char** program = nullptr;
  // What failed in the child; it shares our memory (CLONE_VM), so this is the report.
  const char* failed = nullptr;
  int error = 0;
};

[[noreturn]] void fail(Plan& plan, const char* what) {
  plan.error = errno;
  plan.failed = what;
  ::_exit(125);
}

int set_string(int context, const char* key, const char* value) {
  return static_cast<int>(::syscall(SYS_fsconfig, context, FSCONFIG_SET_STRING, key, value, 0));
}

// A detached mount of the configured context.
int make_mount(Plan& plan, int context, unsigned attributes, const char* what) {
  if (::syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) < 0)
    fail(plan, what);
  const auto mount = static_cast<int>(::syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, attributes));
  if (mount < 0) fail(plan, what);
  return mount;
}

// Becomes the working directory, so that everything below goes by short relative names.
void mount_root(Plan& plan) {
  const auto context = static_cast<int>(::syscall(SYS_fsopen, "overlay", FSOPEN_CLOEXEC));
  if (context < 0) fail(plan, "fsopen overlay");
  for (const char* layer : plan.layers)
    if (set_string(context, "lowerdir+", layer) < 0) fail(plan, layer);
  if (set_string(context, "upperdir", plan.upper) < 0) fail(plan, plan.upper);
  if (set_string(context, "workdir", plan.work) < 0) fail(plan, plan.work);
  // Else the end of the container would write back the whole file system that holds UPPER
  // (generic_shutdown_super() in fs/super.c → ovl_sync_fs() in fs/overlayfs/super.c).
  if (::syscall(SYS_fsconfig, context, FSCONFIG_SET_FLAG, "volatile", nullptr, 0) < 0)
    fail(plan, "volatile");
  const int mount = make_mount(plan, context, 0, "mount overlay");
  // Over our own copy of the old root, which is thereby out of reach by name.
  if (::syscall(SYS_move_mount, mount, "", AT_FDCWD, plan.work, MOVE_MOUNT_F_EMPTY_PATH) < 0)
    fail(plan, "attach overlay");
  if (::fchdir(mount) < 0) fail(plan, "enter overlay");
}

void mount_at(Plan& plan, const char* type, const char* target, unsigned long flags,
              const char* data) {
  if (::mount(type, target, type, flags, data) < 0) fail(plan, target);
}

void make_devices(Plan& plan) {
  struct Device {
    const char* path;
    unsigned major, minor;
  };
  static constexpr std::array kDevices{Device{"dev/null", 1, 3},    Device{"dev/zero", 1, 5},
                                       Device{"dev/full", 1, 7},    Device{"dev/random", 1, 8},
                                       Device{"dev/urandom", 1, 9}, Device{"dev/tty", 5, 0}};
  ::umask(0);
  for (const auto& device : kDevices)
    if (::mknod(device.path, S_IFCHR | 0666, makedev(device.major, device.minor)) < 0)
      fail(plan, device.path);
  ::umask(022);
}

int child(void* argument) {
  Plan& plan = *static_cast<Plan*>(argument);
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) < 0) fail(plan, "make private");
  mount_root(plan);
  mount_at(plan, "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr);
  mount_at(plan, "tmpfs", "dev", MS_NOSUID, "mode=755,size=64k");
  make_devices(plan);
  if (::syscall(SYS_pivot_root, ".", ".") < 0) fail(plan, "pivot_root");
  if (::umount2(".", MNT_DETACH) < 0) fail(plan, "detach the old root");
  ::execv(plan.program[0], plan.program);
  fail(plan, plan.program[0]);
}

bool parse(std::span<char*> arguments, Plan& plan) {
  if (arguments.size() < 6) return false;
  plan.upper = arguments[1];
  plan.work = arguments[2];
  size_t end = 3;
  while (end < arguments.size() && std::string_view(arguments[end]) != "--") ++end;
  plan.layers = arguments.subspan(3, end - 3);
  if (plan.layers.empty() || end + 1 >= arguments.size()) return false;
  plan.program = &arguments[end + 1];
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  Plan plan;
  if (!parse({argv, static_cast<size_t>(argc)}, plan)) {
    std::fputs("usage: strata-bench-floor UPPER WORK LAYER… -- PROGRAM [ARGUMENT…]\n", stderr);
    return 2;
  }
  // CLONE_VM and CLONE_VFORK: no page table is copied, and the child's word about a failure is
  // there when clone returns. (Not vfork(2) or clone3(2) by themselves: a child that calls
  // functions needs a stack of its own.)
  alignas(16) static std::array<char, size_t{64} << 10> stack;
  const int flags = CLONE_VM | CLONE_VFORK | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET |
                    CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP | SIGCHLD;
  const pid_t pid = ::clone(child, stack.data() + stack.size(), flags, &plan);
  if (pid < 0) {
    plan.failed = "clone";
    plan.error = errno;
  }
  if (plan.failed != nullptr)
    std::fprintf(stderr, "strata-bench-floor: %s: %s\n", plan.failed, std::strerror(plan.error));
  int status = 0;
  if (pid < 0 || ::waitpid(pid, &status, 0) < 0) return 125;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
