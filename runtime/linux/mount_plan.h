// What shall be mounted in a container, in order: a value that is built and checked without any
// system call, then carried out in two halves. prepare() opens, in the caller's mount namespace,
// what only exists there (bind sources, cgroup directories) as detached mounts; attach() runs in
// the child and puts everything into the container's root.
//
// Every target is resolved inside the root (openat2(2), RESOLVE_IN_ROOT, no magic links), so that
// no symbolic link of the image leads a mount out of it. Mount points that are missing are made.
//
// Thread rule: plain values; attach() is async-signal-safe.
#pragma once

#include <string>
#include <vector>

#include "runtime/linux/cgroup.h"
#include "runtime/linux/mount_options.h"
#include "runtime/linux/user_namespace.h"
#include "runtime/oci/spec.h"
#include "unionfs/base/result.h"
#include "unionfs/base/unique_fd.h"

namespace strata::linux {

struct PlannedMount {
  enum class Kind {
    kFilesystem,  // a new instance of a file system type
    kBind,        // a file or directory tree of the host
    kCgroup,      // the container's own cgroup directories
  };
  Kind kind = Kind::kFilesystem;
  std::string target;  // absolute, plain: no "//", "." or trailing slash
  std::string type;
  std::string source;
  MountOptions options;
  std::vector<oci::IdMapping> uid_mappings, gid_mappings;  // empty: the container's, if id_mapped

  // /proc and /sys must be ordinary directories of the image: a link there would put them where
  // the masked paths are not.
  [[nodiscard]] bool wants_plain_directory() const { return type == "proc" || type == "sysfs"; }

  // Whether it may lie over a procfs: another one on /proc, or what stands for one of its files
  // (lxcfs). Anything else there could lead astray who reads or writes them (CVE-2019-16884).
  [[nodiscard]] bool may_cover_proc() const;
};

class MountPlan {
 public:
  // Of two mounts in one place only the later one is made: it would hide the other. A destination
  // that is not absolute counts from the root. EINVAL, naming the mount: a destination that
  // contains
  // "..", is "/" or is below /proc; a bind mount without an absolute source; nonsense options; an
  // ID-mapped mount that is not a bind mount.
  [[nodiscard]] static Result<MountPlan> build(const oci::Spec& spec);

  // In the order of the spec, which is the order of mounting.
  [[nodiscard]] const std::vector<PlannedMount>& mounts() const { return mounts_; }
  [[nodiscard]] const PlannedMount* find(std::string_view target) const;

 private:
  std::vector<PlannedMount> mounts_;
};

// One mount ready to be put in place.
struct Attachment {
  const PlannedMount* mount = nullptr;
  std::string target;
  UniqueFd fd;  // detached mount; none: the file system is made in the child's namespaces
  bool is_directory = true;
  bool plain_directory = false;
};

// What mounts depend on besides the plan.
struct MountSurroundings {
  const Cgroup* cgroup = nullptr;  // null: mounts of kind kCgroup are left out
  int root = -1;                   // the container's root, for "tmpcopyup"
  const IdMaps* ids = nullptr;     // of the container's user namespace; null: it has none
  // The nodes that the spec wants; those that were made are taken out, as /dev is filled here.
  std::vector<oci::Device>* devices = nullptr;
};

// REQUIRES: `plan` outlives the result. Errors name the mount and its source.
[[nodiscard]] Result<std::vector<Attachment>> prepare_mounts(const MountPlan& plan,
                                                             const MountSurroundings& around);

// Puts the detached `mount` into `root` (a directory descriptor) where `attachment` says. 0, or -1
// with errno; EPERM with a complaint if that is a place in a procfs where it may not be.
[[nodiscard]] int attach_mount_in_root(int root, int mount, const Attachment& attachment,
                                       char* complaint, size_t complaint_size) noexcept;

// A new detached instance of a file system; its attributes are set. -1 with errno. What the kernel
// had to say about it is written to `complaint` (NUL-terminated) if it is not null.
[[nodiscard]] int make_filesystem(const PlannedMount& mount, char* complaint,
                                  size_t complaint_size) noexcept;

// Sets and clears attributes of a mount by descriptor; 0, or -1 with errno.
[[nodiscard]] int set_mount_attributes(int fd, uint64_t set, uint64_t clear, uint64_t propagation,
                                       bool recursive) noexcept;

}  // namespace strata::linux
