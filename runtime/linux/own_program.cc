#include "runtime/linux/own_program.h"

#include <fcntl.h>
#include <linux/prctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <vector>

#include "runtime/linux/mount_plan.h"
#include "unionfs/base/file.h"

namespace strata::linux {
namespace {

constexpr const char* kSelf = "/proc/self/exe";
constexpr int kSeals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

bool is_on_read_only_mount() {
  struct statvfs fs {};
  return ::statvfs(kSelf, &fs) == 0 && (fs.f_flag & ST_RDONLY) != 0;
}

bool same_file(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

// Empty where our file is not (or not any more) where the kernel says.
std::string own_path() {
  std::error_code ec;
  const auto path = std::filesystem::read_symlink(kSelf, ec);
  struct stat named {};
  struct stat run {};
  if (ec || ::stat(path.c_str(), &named) < 0 || ::stat(kSelf, &run) < 0 || !same_file(named, run))
    return {};
  return path;
}

// Sanitizers watch over where each variable is.
bool kernel_changes_executables() {
#ifdef STRATA_SANITIZE
  return false;
#endif
  unsigned size = 0;
  return ::prctl(PR_SET_MM, PR_SET_MM_MAP_SIZE, &size, 0, 0) == 0 && size == sizeof(prctl_mm_map);
}

// Not even its owner can write to it.
UniqueFd make_sealed_file() {
#ifndef MFD_EXEC
  constexpr unsigned MFD_EXEC = 0x10;
#endif
  constexpr unsigned kFlags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  UniqueFd file(::memfd_create("strata", kFlags | MFD_EXEC));
  if (!file) file.reset(::memfd_create("strata", kFlags));  // before Linux 6.3
  if (!file || ::fcntl(file.get(), F_ADD_SEALS, kSeals) < 0) return {};
  return file;
}

// For who may not mount: a copy in memory that nobody can write to.
Result<void> run_from_sealed_copy(char* const* argv) {
  STRATA_TRY(const UniqueFd self, open_file(kSelf, O_RDONLY));
  if (const int seals = ::fcntl(self.get(), F_GET_SEALS); seals >= 0 && (seals & F_SEAL_WRITE) != 0)
    return {};
  const UniqueFd copy(::memfd_create("strata-oci", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  struct stat st {};
  if (!copy || ::fstat(self.get(), &st) < 0) return fail_errno("copy our own program");
  for (off_t left = st.st_size; left > 0;) {
    const ssize_t n = ::sendfile(copy.get(), self.get(), nullptr, static_cast<size_t>(left));
    if (n <= 0) return fail_errno("copy our own program");
    left -= n;
  }
  if (::fcntl(copy.get(), F_ADD_SEALS, kSeals) < 0) return fail_errno("seal our own program");
  ::execveat(copy.get(), "", argv, environ, AT_EMPTY_PATH);
  return fail_errno("run our own program from memory");
}

}  // namespace

Result<void> run_from_read_only_mount(char* const* argv) {
  if (is_on_read_only_mount()) return {};
  std::string line;
  std::vector<char*> arguments;
  if (argv == nullptr) {
    STRATA_TRY(line, read_file("/proc/self/cmdline"));
    for (size_t at = 0; at < line.size(); at = line.find('\0', at) + 1)
      arguments.push_back(&line[at]);
    arguments.push_back(nullptr);
    argv = arguments.data();
  }
  const UniqueFd copy(::open_tree(AT_FDCWD, kSelf, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
  if (!copy && errno == EPERM) return run_from_sealed_copy(argv);
  if (!copy) return fail_errno("mount our own program read-only");
  if (set_mount_attributes(copy.get(), MOUNT_ATTR_RDONLY, 0, MS_PRIVATE, false) < 0)
    return fail_errno("mount our own program read-only");
  ::execveat(copy.get(), "", argv, environ, AT_EMPTY_PATH);
  return fail_errno("run our own program from a read-only mount");
}

Result<void> guard_own_program(char* const* argv) {
  if (kernel_changes_executables() && !own_path().empty()) return {};
  return run_from_read_only_mount(argv);
}

StandIn make_stand_in() {
  if (is_on_read_only_mount() || !kernel_changes_executables()) return {};
  StandIn stand_in{.path = own_path()};
  if (!stand_in.path.empty()) stand_in.file = make_sealed_file();
  return stand_in;
}

}  // namespace strata::linux
