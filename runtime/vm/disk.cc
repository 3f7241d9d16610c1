#include "runtime/vm/disk.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>

#include "runtime/image/digest.h"
#include "runtime/image/workspace.h"
#include "unionfs/base/file.h"
#include "unionfs/base/stream.h"
#include "unionfs/base/subprocess.h"
#include "unionfs/layer_stack.h"
#include "unionfs/overlay.h"

namespace strata::vm {
namespace {

constexpr std::string_view kSuffix = ".erofs";
constexpr const char* kTool = "mkfs.erofs";

std::filesystem::path disks_dir(const image::Store& store) {
  return store.vm_dir() / "disks";
}

// In the child: the merged tree is attached at `mount_point`, in a mount namespace of its own, and
// mkfs.erofs takes this process's place.
Result<void> become_mkfs(int merged, const std::filesystem::path& mount_point,
                         const std::string& tool, const std::filesystem::path& disk) {
  if (::unshare(CLONE_NEWNS) < 0 ||
      ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) < 0)
    return fail_errno("make a mount namespace");
  STRATA_CHECK(unionfs::attach_mount(merged, mount_point));
  ::execl(tool.c_str(), kTool, "--quiet", disk.c_str(), mount_point.c_str(), nullptr);
  return fail_errno("run " + tool);
}

struct Child {
  pid_t pid = -1;
  UniqueFd messages;
};

Result<Child> start_mkfs(int merged, const std::filesystem::path& mount_point,
                         const std::string& tool, const std::filesystem::path& disk) {
  std::array<int, 2> fds{};
  if (::pipe2(fds.data(), O_CLOEXEC) < 0) return fail_errno("pipe");
  UniqueFd read(fds[0]);
  const UniqueFd write(fds[1]);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) return fail_errno("fork");
  if (pid > 0) return Child{pid, std::move(read)};
  // Gone with its parent, however that ends.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);
  ::dup2(write.get(), STDOUT_FILENO);
  ::dup2(write.get(), STDERR_FILENO);
  const auto failed = become_mkfs(merged, mount_point, tool, disk);
  const std::string& what = failed.error().what;
  (void)!::write(STDERR_FILENO, what.data(), what.size());
  ::_exit(1);
}

class StringSink final : public ByteSink {
 public:
  Result<void> write(std::span<const std::byte> data) override {
    text_.append(reinterpret_cast<const char*>(data.data()), data.size());
    return {};
  }
  [[nodiscard]] std::string& text() { return text_; }

 private:
  std::string text_;
};

Result<void> run_mkfs(int merged, const std::filesystem::path& mount_point,
                      const std::filesystem::path& disk) {
  const auto tool = find_program(kTool);
  if (!tool)
    return fail(ENOENT, std::string(kTool) + " is not here: install the package erofs-utils");
  STRATA_TRY(const Child child, start_mkfs(merged, mount_point, *tool, disk));
  StringSink said;
  FdSource source(child.messages.get(), "the output of mkfs.erofs");
  const auto copied = copy_stream(source, said);
  int status = 0;
  while (::waitpid(child.pid, &status, 0) < 0 && errno == EINTR) {
  }
  STRATA_CHECK(copied);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  std::string what = std::move(said.text());
  while (what.ends_with('\n')) what.pop_back();
  if (what.empty()) what = "mkfs.erofs ended with wait status " + std::to_string(status);
  return fail(EIO, std::move(what));
}

Result<void> build(const image::Store& store, const image::Image& image,
                   const std::filesystem::path& target) {
  STRATA_TRY(const image::StoreLock lock, store.lock_shared());
  // Only now is it sure that nobody takes the image away meanwhile.
  STRATA_TRY(const auto still_there, store.find(image.id));
  if (!still_there) return fail(ESTALE, "the image was removed meanwhile");
  STRATA_TRY(image::Workspace work, image::Workspace::create(store, lock));
  const auto mount_point = work.fresh_path();
  const auto disk = work.fresh_path();
  STRATA_CHECK(make_dirs(mount_point));
  STRATA_TRY(const auto stack, unionfs::LayerStack::open(image.trees_top_first()));
  STRATA_TRY(const UniqueFd merged, unionfs::mount_overlay(stack, std::nullopt));
  STRATA_CHECK(run_mkfs(merged.get(), mount_point, disk));
  STRATA_TRY(const UniqueFd file, open_file(disk, O_RDONLY));
  if (::fsync(file.get()) < 0) return fail_errno("sync " + disk.string());
  if (::rename(disk.c_str(), target.c_str()) < 0) return fail_errno("rename to " + target.string());
  return fsync_dir(target.parent_path());
}

// Running guests keep the disks that they have open.
Result<void> remove_stale_disks(const image::Store& store) {
  STRATA_TRY(const auto disks, image::list_dir(disks_dir(store)));
  for (const auto& disk : disks) {
    if (disk.extension() != kSuffix) continue;
    STRATA_TRY(const auto image,
               store.find(std::string(image::kSha256Prefix) + disk.stem().string()));
    if (!image && ::unlink(disk.c_str()) < 0 && errno != ENOENT)
      return fail_errno("remove " + disk.string());
  }
  return {};
}

}  // namespace

std::filesystem::path disk_path(const image::Store& store, const image::Image& image) {
  return disks_dir(store) / (std::string(image::digest_hex(image.id)) + std::string(kSuffix));
}

Result<std::filesystem::path> make_disk(const image::Store& store, const image::Image& image,
                                        const Report& report) {
  auto disk = disk_path(store, image);
  if (::access(disk.c_str(), F_OK) == 0) return disk;
  STRATA_CHECK(make_dirs(disks_dir(store)));
  STRATA_TRY(const UniqueFd dir, open_file(disks_dir(store), O_RDONLY | O_DIRECTORY));
  while (::flock(dir.get(), LOCK_EX) < 0)
    if (errno != EINTR) return fail_errno("lock " + disks_dir(store).string());
  if (::access(disk.c_str(), F_OK) == 0) return disk;

  const std::string name = image.names.empty() ? image.id : image.names.front();
  report("making a disk of " + name);
  STRATA_CHECK(remove_stale_disks(store));
  if (auto built = build(store, image, disk); !built)
    return fail_in("make a disk of " + name, std::move(built).error());
  return disk;
}

}  // namespace strata::vm
