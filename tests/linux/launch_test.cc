// What a container gets.

#include "runtime/linux/launch.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include <gmock/gmock.h>

#include "runtime/linux/capabilities.h"
#include "tests/linux/container_fixture.h"
#include "tests/support/environment.h"
#include "tests/support/matchers.h"

namespace strata::linux {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using testing::IsOk;
using ::testing::Not;
using ::testing::StartsWith;

class LaunchTest : public ContainerTest {};

TEST_F(LaunchTest, RunsAProgramAndReturnsItsStatus) {
  EXPECT_EQ(run(shell("exit 7")).status, 7);
  EXPECT_EQ(run(shell("kill -9 $$; sleep 1")).status, 0);  // pid 1 is not killed from inside
  EXPECT_EQ(run(spec_for({"true"})).status, 0);
  EXPECT_EQ(run(spec_for({"/bin/false"})).status, 1);
}

TEST_F(LaunchTest, IsFirstInNamespacesOfItsOwn) {
  const auto ended = run(shell(
      "echo $$; for n in pid net mnt ipc uts cgroup user; do readlink /proc/self/ns/$n; done"));
  EXPECT_THAT(ended.out, StartsWith("1\n"));
  for (const char* ns : {"pid", "net", "mnt", "ipc", "uts", "cgroup"}) {
    const auto host = std::filesystem::read_symlink(std::string("/proc/self/ns/") + ns).string();
    EXPECT_THAT(ended.out, AllOf(HasSubstr(std::string(ns) + ":["), Not(HasSubstr(host))));
  }
  const auto user = std::filesystem::read_symlink("/proc/self/ns/user").string();
  EXPECT_THAT(ended.out, HasSubstr(user));
}

TEST_F(LaunchTest, SeesItsCgroupAsTheRoot) {
  const auto ended =
      run(shell("cut -d: -f3 /proc/self/cgroup | sort | head -1; "
                "grep cgroup /proc/self/mountinfo"));
  EXPECT_THAT(ended.out, StartsWith("/\n"));
  EXPECT_THAT(ended.out, Not(HasSubstr("strata-test")));
}

TEST_F(LaunchTest, IsInItsCgroup) {
  OutputPipe pipe = make_output_pipe();
  auto launched = launch_with(shell("sleep 100"), {.out = pipe.write.get()});
  ASSERT_THAT(launched, IsOk());
  EXPECT_THAT(cgroup_->processes(), Contains(launched->pid()));
  EXPECT_EQ(cgroup_->stats().pids, 1U);
  ASSERT_THAT(cgroup_->kill_all(), IsOk());
  EXPECT_EQ(reap(launched->pid()), 128 + SIGKILL);
}

TEST_F(LaunchTest, HasHostnameLoopbackAndNoOtherNetwork) {
  auto spec = shell("hostname; ifconfig -a; ping -c1 -w2 127.0.0.1");
  spec.hostname = "box";
  const auto ended = run(spec);
  EXPECT_EQ(ended.status, 0) << ended.out;
  EXPECT_THAT(ended.out, AllOf(StartsWith("box\n"), HasSubstr("lo "), HasSubstr("UP LOOPBACK"),
                               Not(HasSubstr("eth0"))));
}

TEST_F(LaunchTest, GetsEnvironmentDirectoryUserAndMask) {
  auto spec = shell("env; pwd; id; umask; touch /tmp/made; stat -c '%u:%g %a' /tmp/made");
  spec.process.env = {"PATH=/bin", "A=1", "B=two words"};
  spec.process.cwd = "/srv/made/for it";
  spec.process.user = {.uid = 1234, .gid = 567, .additional_gids = {8, 9}, .umask = 027};
  std::filesystem::permissions(root_ / "tmp", std::filesystem::perms::all);
  const auto ended = run(spec);
  EXPECT_EQ(ended.status, 0);
  EXPECT_THAT(ended.out,
              AllOf(HasSubstr("A=1\n"), HasSubstr("B=two words\n"), HasSubstr("/srv/made/for it\n"),
                    HasSubstr("uid=1234 gid=567 groups=8,9"), HasSubstr("0027\n"),
                    HasSubstr("1234:567 640\n")));
  EXPECT_THAT(ended.out, Not(HasSubstr("HOME=")));
}

TEST_F(LaunchTest, HasDockersPrivilegesAndAFilter) {
  const auto ended = run(shell("grep -E '^(Cap|NoNewPrivs|Seccomp):?' /proc/self/status"));
  EXPECT_THAT(ended.out,
              AllOf(HasSubstr("CapInh:\t0000000000000000"), HasSubstr("CapPrm:\t00000000a80425fb"),
                    HasSubstr("CapEff:\t00000000a80425fb"), HasSubstr("CapBnd:\t00000000a80425fb"),
                    HasSubstr("CapAmb:\t0000000000000000"), HasSubstr("NoNewPrivs:\t0"),
                    HasSubstr("Seccomp:\t2")));
}

TEST_F(LaunchTest, TakesCapabilitiesFromOtherUsersButAmbientOnes) {
  auto spec = shell("grep ^Cap /proc/self/status");
  spec.process.user.uid = 1000;
  spec.process.no_new_privileges = true;
  spec.process.capabilities.inheritable = {"CAP_NET_BIND_SERVICE"};
  spec.process.capabilities.ambient = {"CAP_NET_BIND_SERVICE"};
  const auto ended = run(spec);
  EXPECT_THAT(
      ended.out,
      AllOf(HasSubstr("CapPrm:\t0000000000000400"), HasSubstr("CapEff:\t0000000000000400"),
            HasSubstr("CapBnd:\t00000000a80425fb"), HasSubstr("CapAmb:\t0000000000000400")));
}

TEST_F(LaunchTest, IsFilteredByTheDefaultProfile) {
  const auto ended = run(shell("mount -t tmpfs x /tmp; umount /proc; hostname other"));
  EXPECT_THAT(ended.out, AllOf(HasSubstr("mount: permission denied"), HasSubstr("umount: "),
                               HasSubstr("hostname: sethostname: Operation not permitted")));
}

TEST_F(LaunchTest, HasTheUsualDevices) {
  const auto ended =
      run(shell("cd /dev; for l in ptmx fd stdin stdout stderr; do readlink $l; done; stat -c '%n "
                "%F %t:%T %a' null zero full random urandom tty; head "
                "-c 4 zero | wc -c; echo x > null; echo x > full; ls pts shm mqueue"));
  EXPECT_THAT(ended.out, AllOf(HasSubstr("null character special file 1:3 666"),
                               HasSubstr("zero character special file 1:5 666"),
                               HasSubstr("full character special file 1:7 666"),
                               HasSubstr("random character special file 1:8 666"),
                               HasSubstr("urandom character special file 1:9 666"),
                               HasSubstr("tty character special file 5:0 666"),
                               HasSubstr("pts/ptmx\n"), HasSubstr("/proc/self/fd/0\n"),
                               HasSubstr("\n4\n"), HasSubstr("No space left on device")));
}

TEST_F(LaunchTest, FillsTheImagesDevWhereNothingIsMounted) {
  auto spec = shell("echo x > /dev/null; stat -c %t:%T /dev/zero; ls -l /dev/ptmx");
  std::erase_if(spec.mounts, [](const auto& m) { return m.destination == "/dev"; });
  EXPECT_THAT(run(spec).out, AllOf(StartsWith("1:5\n"), HasSubstr("/dev/ptmx -> pts/ptmx")));
  EXPECT_THAT(run(spec).out, StartsWith("1:5\n"));  // and finds it filled the next time
}

// As in a user namespace, where the kernel refuses to make nodes.
TEST_F(LaunchTest, BindsTheHostsDevicesWhereItMayNotMakeThem) {
  OutputPipe pipe = make_output_pipe();
  const pid_t caller = ::fork();
  if (caller == 0) {
    auto own = own_capabilities();
    own->effective &= ~*capability_of("CAP_MKNOD");
    if (set_capabilities(*own) < 0) ::_exit(99);
    const auto spec = shell(
        "echo x > /dev/null && stat -c %t:%T /dev/full; "
        "cut -d' ' -f5 /proc/self/mountinfo | grep -c ^/dev/");
    auto launched = launch_with(spec, {.out = pipe.write.get(), .err = pipe.write.get()});
    ::_exit(launched ? reap(launched->pid()) : 98);
  }
  EXPECT_EQ(reap(caller), 0);
  pipe.write.reset();
  EXPECT_EQ(read_to_end(pipe.read.get()), "1:7\n9\n");  // six nodes, pts, shm, mqueue
}

TEST_F(LaunchTest, KeepsItsMountsToItselfUnlessTold) {
  const std::filesystem::path volume = temp_ / "volume";
  std::filesystem::create_directories(volume / "below");
  ASSERT_EQ(::mount("tmpfs", volume.c_str(), "tmpfs", 0, nullptr), 0);
  ASSERT_EQ(::mount(nullptr, volume.c_str(), nullptr, MS_SHARED, nullptr), 0);
  std::filesystem::create_directories(volume / "below");
  const auto leaks = [&](const std::vector<std::string>& options) {
    auto spec = shell("mount -t tmpfs x /volume/below && touch /volume/below/inside && sleep 0");
    spec.mounts.push_back({"/volume", "bind", volume, options});
    for (auto* set : {&spec.process.capabilities.bounding, &spec.process.capabilities.effective,
                      &spec.process.capabilities.permitted})
      set->emplace_back("CAP_SYS_ADMIN");
    with_seccomp_ = false;
    EXPECT_EQ(run(spec).status, 0);
    const bool leaked = std::filesystem::exists(volume / "below/inside");
    ::umount2((volume / "below").c_str(), MNT_DETACH);
    return leaked;
  };
  EXPECT_FALSE(leaks({"rbind"}));
  EXPECT_FALSE(leaks({"rbind", "rslave"}));
  EXPECT_TRUE(leaks({"rbind", "rshared"}));
  EXPECT_EQ(::umount2(volume.c_str(), MNT_DETACH), 0);
}

TEST_F(LaunchTest, MayUseNoOtherDevice) {
  const auto ended = run(shell("mknod /tmp/kmsg c 1 11 && cat /tmp/kmsg"));
  EXPECT_THAT(ended.out, HasSubstr("can't open '/tmp/kmsg': Operation not permitted"));
}

TEST_F(LaunchTest, HidesAndProtectsTheKernelsFiles) {
  const auto ended =
      run(shell("ls /proc/acpi /sys/firmware | wc -l; wc -c < /proc/timer_list; "
                "echo 1 > /proc/sys/kernel/pid_max; grep ' /proc/irq ' /proc/self/mountinfo; "
                "touch /sys/kernel/x; touch /sys/firmware/x"));
  EXPECT_THAT(ended.out, HasSubstr("pid_max: Read-only file system"));
  EXPECT_THAT(ended.out, HasSubstr("/irq /proc/irq ro,"));
  EXPECT_THAT(ended.out, HasSubstr("/sys/kernel/x: Read-only file system"));
  EXPECT_THAT(ended.out, HasSubstr("/sys/firmware/x: Read-only file system"));
}

TEST_F(LaunchTest, HasNothingOfTheHostsTree) {
  const auto ended = run(shell("cut -d' ' -f5 /proc/self/mountinfo | sort; ls -a /"));
  EXPECT_THAT(ended.out, Not(HasSubstr(temp_.path().string())));
  EXPECT_THAT(ended.out, Not(HasSubstr("\nvar\n")));
  EXPECT_THAT(ended.out, StartsWith("/\n/dev\n"));
}

TEST_F(LaunchTest, SeesNoneOfTheCallersDescriptors) {
  std::vector<UniqueFd> open;
  open.reserve(200);
  for (int i = 0; i < 200; ++i) open.emplace_back(::open("/etc/passwd", O_RDONLY));  // not CLOEXEC
  EXPECT_EQ(run(spec_for({"ls", "/proc/self/fd"})).out, "0\n1\n2\n3\n");  // 3 is ls's own
}

TEST_F(LaunchTest, WaitingItHoldsNoneOfTheCallersDescriptorsEither) {
  OutputPipe held = make_output_pipe();
  const auto spec = spec_for({"true"});
  const UniqueFd root = clone_root();
  auto launched = launch({.spec = &spec, .root_mount = root.get(), .cgroup = &*cgroup_});
  ASSERT_THAT(launched, IsOk());
  held.write.reset();
  EXPECT_EQ(read_to_end(held.read.get()), "");  // the end comes although the child lives
  EXPECT_THAT(launched->start(), IsOk());
  EXPECT_EQ(reap(launched->pid()), 0);
}

TEST_F(LaunchTest, StartsWithDefaultSignals) {
  struct sigaction ignore {};
  ignore.sa_handler = SIG_IGN;
  struct sigaction saved {};
  ::sigaction(SIGUSR1, &ignore, &saved);
  sigset_t mask;
  sigset_t old;
  ::sigemptyset(&mask);
  ::sigaddset(&mask, SIGTERM);
  ::sigprocmask(SIG_BLOCK, &mask, &old);
  const auto ended = run(spec_for({"grep", "-E", "Sig(Blk|Ign|Cgt)", "/proc/self/status"}));
  ::sigprocmask(SIG_SETMASK, &old, nullptr);
  ::sigaction(SIGUSR1, &saved, nullptr);
  EXPECT_EQ(ended.out,
            "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\nSigCgt:\t0000000000000000\n");
}

TEST_F(LaunchTest, SetsLimits) {
  auto spec = shell("ulimit -Sn; ulimit -Hn; grep 'core file' /proc/self/limits");
  spec.process.rlimits = {{"RLIMIT_NOFILE", 100, 200}, {"RLIMIT_CORE", 0, 0}};
  EXPECT_THAT(run(spec).out, StartsWith("100\n200\n"));
}

TEST_F(LaunchTest, SetsOomScoreAndSysctl) {
  auto spec =
      shell("cat /proc/self/oom_score_adj /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/msgmax");
  spec.process.oom_score_adj = 321;
  spec.linux.sysctl = {{"net.ipv4.ip_forward", "1"}, {"kernel.msgmax", "4096"}};
  EXPECT_EQ(run(spec).out, "321\n1\n4096\n");
}

TEST_F(LaunchTest, MakesTheRootReadOnly) {
  auto spec = shell("touch /x; echo x > /dev/shm/y && echo shm");
  spec.root.readonly = true;
  for (const char* name : {"proc", "sys", "dev"}) std::filesystem::create_directories(root_ / name);
  const auto ended = run(spec);
  EXPECT_THAT(ended.out, AllOf(HasSubstr("/x: Read-only file system"), HasSubstr("shm\n")));
}

TEST_F(LaunchTest, BindsFilesAndDirectories) {
  temp_.write("data/file", "content\n");
  temp_.write("hosts", "127.0.0.1 localhost\n");
  auto spec = shell("cat /data/in/file /etc/hosts; touch /data/in/x; echo y > /etc/hosts");
  spec.mounts.push_back({"/data/in", "bind", temp_ / "data", {"rbind", "ro"}});
  spec.mounts.push_back({"/etc/hosts", "bind", temp_ / "hosts", {"bind"}});
  const auto ended = run(spec);
  EXPECT_THAT(ended.out, StartsWith("content\n127.0.0.1 localhost\n"));
  EXPECT_THAT(ended.out, HasSubstr("/data/in/x: Read-only file system"));
  EXPECT_EQ(run(shell("cat /etc/hosts")).out, "");  // only its mount point is left in the image
}

TEST_F(LaunchTest, GivesATerminal) {
  auto spec = shell(
      "tty; test -t 0 && test -t 2 && echo streams; stat -c %t /dev/console; "
      "stat -c %u /dev/pts/0; echo hi > /dev/tty; ps -o pid,tty | grep ' 1 '");
  spec.process.terminal = true;
  spec.process.user.uid = 1000;
  const auto ended = run(spec);
  EXPECT_EQ(ended.status, 0);
  EXPECT_THAT(ended.out, AllOf(HasSubstr("/dev/pts/0\r\n"), HasSubstr("streams\r\n"),
                               HasSubstr("88\r\n1000\r\n"), HasSubstr("hi\r\n")));
}

TEST_F(LaunchTest, GivesPipesToTheUser) {
  auto spec = shell("echo again > /dev/stdout");
  spec.process.user.uid = 1000;
  const auto ended = run(spec);
  EXPECT_EQ(ended.status, 0);
  EXPECT_EQ(ended.out, "again\n");
}

TEST_F(LaunchTest, TellsWhereTheTimeWent) {
  auto launched = launch_with(spec_for({"true"}));
  ASSERT_THAT(launched, IsOk());
  EXPECT_EQ(reap(launched->pid()), 0);
  std::vector<std::string> steps;
  std::chrono::nanoseconds sum{};
  for (const auto& lap : launched->laps()) {
    steps.push_back(lap.step);
    sum += lap.took;
  }
  EXPECT_EQ(steps.front(), "prepare");
  EXPECT_THAT(steps, Contains("mounts"));
  EXPECT_EQ(steps.back(), "exec");
  EXPECT_GT(sum, std::chrono::microseconds(100));
}

TEST_F(LaunchTest, UsesTheHostsNetworkIfTold) {
  auto spec = shell("readlink /proc/self/ns/net");
  std::erase_if(spec.linux.namespaces, [](const auto& ns) { return ns.type == "network"; });
  EXPECT_EQ(run(spec).out, std::filesystem::read_symlink("/proc/self/ns/net").string() + "\n");
}

TEST_F(LaunchTest, JoinsNamespacesByPath) {
  OutputPipe pipe = make_output_pipe();
  auto first = launch_with(shell("sleep 100"), {.out = pipe.write.get()});
  ASSERT_THAT(first, IsOk());
  const std::string base = "/proc/" + std::to_string(first->pid()) + "/ns/";
  auto spec = shell("readlink /proc/self/ns/net; readlink /proc/self/ns/pid; echo $$");
  for (auto& ns : spec.linux.namespaces) {
    if (ns.type == "network") ns.path = base + "net";
    if (ns.type == "pid") ns.path = base + "pid";
  }
  const auto ended = run(spec);
  EXPECT_THAT(ended.out, HasSubstr(std::filesystem::read_symlink(base + "net").string()));
  EXPECT_THAT(ended.out, HasSubstr(std::filesystem::read_symlink(base + "pid").string()));
  EXPECT_THAT(ended.out, Not(HasSubstr("]\n1\n")));
  ASSERT_THAT(cgroup_->kill_all(), IsOk());
  EXPECT_EQ(reap(first->pid()), 128 + SIGKILL);
}

TEST_F(LaunchTest, RunsAtOnceIfTold) {
  const auto spec = shell("exit 3");
  const UniqueFd root = clone_root();
  auto launched =
      launch({.spec = &spec, .root_mount = root.get(), .cgroup = &*cgroup_, .run_at_once = true});
  ASSERT_THAT(launched, IsOk());
  EXPECT_THAT(launched->start(), IsOk());
  EXPECT_EQ(reap(launched->pid()), 3);
}

TEST_F(LaunchTest, WithoutACgroupLeavesItsMountOut) {
  const auto spec = shell("ls /sys/fs/cgroup");
  const UniqueFd root = clone_root();
  OutputPipe pipe = make_output_pipe();
  auto launched =
      launch({.spec = &spec, .root_mount = root.get(), .stdio = {.out = pipe.write.get()}});
  ASSERT_THAT(launched, IsOk());
  ASSERT_THAT(launched->start(), IsOk());
  pipe.write.reset();
  const auto ended = finish(std::move(*launched), std::move(pipe.read));
  EXPECT_EQ(ended.out, "");
}

}  // namespace
}  // namespace strata::linux
