#include "bench/mount_view.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <sstream>
#include <string>

#include "unionfs/base/file.h"
#include "unionfs/layer_stack.h"
#include "unionfs/overlay.h"

namespace strata::bench {
namespace {

constexpr const char* kCgroupRoot = "/sys/fs/cgroup";

// The child's word to the parent: a code (0: all is well) and the text.
void send_result(int fd, const Result<void>& result) {
  const int code = result ? 0 : result.error().code;
  std::string message(reinterpret_cast<const char*>(&code), sizeof code);
  if (!result) message += result.error().what;
  [[maybe_unused]] const ssize_t n = ::write(fd, message.data(), message.size());
}

Result<void> receive_result(int fd) {
  std::array<char, 4096> buffer{};
  const ssize_t n = ::read(fd, buffer.data(), buffer.size());
  int code = 0;
  if (n < static_cast<ssize_t>(sizeof code)) return fail(ECHILD, "prepare mounts: the child died");
  std::copy_n(buffer.data(), sizeof code, reinterpret_cast<char*>(&code));
  if (code == 0) return {};
  return fail(code, std::string(buffer.data() + sizeof code, n - sizeof code));
}

Result<void> enter_new_namespace() {
  if (::unshare(CLONE_NEWNS) < 0) return fail_errno("new mount namespace");
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) < 0)
    return fail_errno("make mounts private");
  return {};
}

Result<void> mount_tmpfs(const std::string& target) {
  if (::mount("tmpfs", target.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, "mode=755") < 0)
    return fail_errno("mount tmpfs on " + target);
  return {};
}

// A detached copy of the mounts at and below `path`.
Result<UniqueFd> copy_mounts(const std::filesystem::path& path) {
  UniqueFd fd(static_cast<int>(::syscall(SYS_open_tree, AT_FDCWD, path.c_str(),
                                         OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE)));
  if (!fd) return fail_errno("copy mounts at " + path.string());
  return fd;
}

// Mount points of cgroup v1 hierarchies, from mountinfo (proc(5)): the fifth field is the mount
// point, the file system's type follows the " - ".
Result<std::vector<std::string>> cgroup1_mounts() {
  STRATA_TRY(const std::string text, read_file("/proc/self/mountinfo"));
  std::vector<std::string> found;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.find(" - cgroup ") == std::string::npos) continue;
    std::istringstream fields(line);
    std::string field;
    for (int i = 0; i < 5; ++i) fields >> field;
    if (field.starts_with(std::string(kCgroupRoot) + "/")) found.push_back(field);
  }
  return found;
}

}  // namespace

Result<MountView> MountView::create(const std::function<Result<void>()>& prepare) {
  std::array<int, 2> result_pipe{};
  std::array<int, 2> hold_pipe{};
  if (::pipe2(result_pipe.data(), O_CLOEXEC) < 0) return fail_errno("pipe");
  const UniqueFd result_read(result_pipe[0]);
  UniqueFd result_write(result_pipe[1]);
  if (::pipe2(hold_pipe.data(), O_CLOEXEC) < 0) return fail_errno("pipe");
  UniqueFd hold_read(hold_pipe[0]);
  UniqueFd hold_write(hold_pipe[1]);

  const pid_t pid = ::fork();
  if (pid < 0) return fail_errno("fork");
  if (pid == 0) {
    hold_write.reset();
    auto result = enter_new_namespace();
    if (result) result = prepare();
    send_result(result_write.get(), result);
    char byte = 0;
    [[maybe_unused]] const ssize_t n = ::read(hold_read.get(), &byte, 1);
    ::_exit(0);
  }
  result_write.reset();
  auto result = receive_result(result_read.get());
  UniqueFd ns(::open(("/proc/" + std::to_string(pid) + "/ns/mnt").c_str(), O_RDONLY | O_CLOEXEC));
  const int open_error = errno;
  hold_write.reset();
  while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
  if (!result) return std::unexpected(std::move(result).error());
  if (!ns) return fail_errno("open mount namespace", open_error);
  return MountView(std::move(ns));
}

std::filesystem::path MountView::file() const {
  return "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(namespace_.get());
}

Result<void> mount_rootfs(const std::vector<std::filesystem::path>& layers,
                          const std::filesystem::path& dir) {
  for (const char* name : {"rootfs", "upper", "work"}) STRATA_CHECK(make_dirs(dir / name));
  STRATA_TRY(const auto stack, unionfs::LayerStack::open(layers));
  STRATA_TRY(const UniqueFd mount,
             unionfs::mount_overlay(stack, unionfs::Upper{dir / "upper", dir / "work"}));
  return unionfs::attach_mount(mount.get(), dir / "rootfs");
}

Result<void> cover(const std::vector<std::filesystem::path>& paths,
                   const std::filesystem::path& kept) {
  STRATA_TRY(const UniqueFd copy, copy_mounts(kept));
  for (const auto& path : paths) {
    std::error_code ec;
    if (std::filesystem::is_directory(path, ec)) STRATA_CHECK(mount_tmpfs(path.string()));
  }
  if (std::error_code ec; std::filesystem::exists(kept, ec)) return {};
  STRATA_CHECK(make_dirs(kept));
  return unionfs::attach_mount(copy.get(), kept);
}

Result<void> hide_unified_cgroups() {
  std::error_code ec;
  STRATA_TRY(const auto mounts, cgroup1_mounts());
  if (mounts.empty() ||
      !std::filesystem::exists(std::string(kCgroupRoot) + "/unified/cgroup.procs", ec))
    return {};
  std::vector<UniqueFd> copies;
  for (const auto& mount : mounts) {
    STRATA_TRY(UniqueFd copy, copy_mounts(mount));
    copies.push_back(std::move(copy));
  }
  STRATA_CHECK(mount_tmpfs(kCgroupRoot));
  for (size_t i = 0; i < mounts.size(); ++i) {
    STRATA_CHECK(make_dirs(mounts[i]));
    STRATA_CHECK(unionfs::attach_mount(copies[i].get(), mounts[i]));
  }
  return {};
}

}  // namespace strata::bench
