#include "tests/linux/container_fixture.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "runtime/linux/cgroup_hierarchies.h"
#include "runtime/linux/seccomp.h"
#include "tests/support/environment.h"
#include "tests/support/matchers.h"
#include "unionfs/base/file.h"

namespace strata::linux {
namespace {

namespace fs = std::filesystem;
using testing::IsOk;

size_t count_mounts() {
  const auto text = read_file("/proc/self/mountinfo");
  return text ? static_cast<size_t>(std::count(text->begin(), text->end(), '\n')) : 0;
}

size_t count_descriptors() {
  return static_cast<size_t>(
      std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator()));
}

}  // namespace

OutputPipe make_output_pipe() {
  std::array<int, 2> fds{};
  EXPECT_EQ(::pipe2(fds.data(), O_CLOEXEC), 0);
  return {UniqueFd(fds[0]), UniqueFd(fds[1])};
}

std::string read_to_end(int fd) {
  std::string all;
  std::array<char, 4096> buffer{};
  for (;;) {
    const ssize_t n = ::read(fd, buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return all;  // a terminal ends with EIO
    all.append(buffer.data(), static_cast<size_t>(n));
  }
}

int reap(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void ContainerTest::SetUp() {
  STRATA_NEEDS_ROOT();
  STRATA_NEEDS_PROGRAM("busybox");
  ASSERT_TRUE(testing::enter_private_namespaces());
  for (const char* name : {"bin", "etc", "tmp", "root"}) fs::create_directories(root_ / name);
  fs::copy_file(*find_program("busybox"), root_ / "bin/busybox");
  for (const char* applet :
       {"sh",    "cat",   "ls",    "id",     "env",      "grep",     "stat",     "sleep", "true",
        "false", "mount", "mkdir", "touch",  "readlink", "hostname", "ifconfig", "ping",  "tty",
        "stty",  "dd",    "mknod", "umount", "pwd",      "kill",     "sort",     "head",  "wc",
        "ps",    "chmod", "ln",    "rm",     "find",     "ulimit",   "cut"})
    fs::create_symlink("busybox", root_ / "bin" / applet);
  mounts_before_ = count_mounts();
  descriptors_before_ = count_descriptors();
  auto cgroup = Cgroup::create(cgroup_path_, {});
  ASSERT_THAT(cgroup, IsOk());
  cgroup_.emplace(*std::move(cgroup));
}

void ContainerTest::TearDown() {
  if (!cgroup_) return;
  EXPECT_TRUE(cgroup_->processes().empty());
  EXPECT_THAT(cgroup_->remove(), IsOk());
  cgroup_.reset();
  for (const auto& hierarchy : CgroupHierarchies::host().all()) {
    EXPECT_FALSE(fs::exists(hierarchy.mount + cgroup_path_));
    ::rmdir((hierarchy.mount + "/strata-test").c_str());
  }
  EXPECT_EQ(count_mounts(), mounts_before_);
  EXPECT_EQ(count_descriptors(), descriptors_before_);
  EXPECT_LT(::waitpid(-1, nullptr, WNOHANG), 0) << "a child is left";
}

oci::Spec ContainerTest::spec_for(std::vector<std::string> args) const {
  oci::Spec spec = oci::default_spec();
  spec.process.args = std::move(args);
  spec.process.env = {"PATH=/sbin:/bin"};
  return spec;
}

void ContainerTest::give_root_to(uint32_t id) const {
  EXPECT_EQ(::chown(root_.c_str(), id, id), 0);
  for (const auto& entry : fs::recursive_directory_iterator(root_))
    EXPECT_EQ(::lchown(entry.path().c_str(), id, id), 0);
  fs::permissions(root_ / "tmp", fs::perms::all | fs::perms::sticky_bit);
}

UniqueFd ContainerTest::clone_root() const {
  UniqueFd fd(::open_tree(AT_FDCWD, root_.c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
  EXPECT_TRUE(fd.valid());
  return fd;
}

Result<Launched> ContainerTest::launch_with(const oci::Spec& spec, Stdio stdio) {
  const UniqueFd root = clone_root();
  LaunchRequest request{
      .spec = &spec, .root_mount = root.get(), .cgroup = &*cgroup_, .stdio = stdio};
  if (!filter_.empty())
    request.seccomp = filter_;
  else if (with_seccomp_)
    request.seccomp = default_seccomp_filter();
  STRATA_TRY(Launched launched, launch(request));
  STRATA_CHECK(launched.start());
  return launched;
}

Ended ContainerTest::finish(Launched launched, UniqueFd output) {
  Ended ended;
  ended.out = read_to_end(output.get());
  ended.status = reap(launched.pid());
  return ended;
}

Ended ContainerTest::run(const oci::Spec& spec) {
  OutputPipe pipe = make_output_pipe();
  auto launched = launch_with(spec, {.out = pipe.write.get(), .err = pipe.write.get()});
  if (!launched) {
    ADD_FAILURE() << launched.error().what;
    return {};
  }
  pipe.write.reset();
  if (spec.process.terminal) return finish(std::move(*launched), std::move(launched->console()));
  return finish(std::move(*launched), std::move(pipe.read));
}

Error ContainerTest::failure_of(const oci::Spec& spec) {
  auto launched = launch_with(spec);
  if (!launched) return launched.error();
  ADD_FAILURE() << "it runs";
  reap(launched->pid());
  return {};
}

}  // namespace strata::linux
