// The mount API of Linux 5.2 (fsopen(2), fsconfig(2), fsmount(2), open_tree(2), move_mount(2),
// mount_setattr(2)) with errors that carry the kernel's own words.
//
// Thread rule: an FsContext has one user at a time; functions are independent.
#pragma once

#include <string>
#include <string_view>

#include "unionfs/base/result.h"
#include "unionfs/base/unique_fd.h"

namespace strata::unionfs::sys {

// The longest string that fsconfig(2) takes as a value: 256 bytes with its NUL (fs/fsopen.c).
inline constexpr size_t kMaxFsconfigString = 255;

// A file system being configured. Calls that fail leave it usable.
class FsContext {
 public:
  [[nodiscard]] static Result<FsContext> open(const char* fs_type);

  // REQUIRES for set_string: value no longer than kMaxFsconfigString, else EINVAL.
  [[nodiscard]] Result<void> set_string(const char* key, const char* value);
  [[nodiscard]] Result<void> set_fd(const char* key, int fd);
  [[nodiscard]] Result<void> set_flag(const char* key);

  // Sets a string where the kernel knows the key, else leaves things as they are.
  void try_set_string(const char* key, const char* value);

  // Makes the superblock, then a detached mount of it with MOUNT_ATTR_* `attributes`.
  [[nodiscard]] Result<UniqueFd> create_mount(unsigned attributes);

 private:
  FsContext(UniqueFd fd, const char* fs_type) : fd_(std::move(fd)), fs_type_(fs_type) {}

  // The errno of the failed call with what the kernel logged about it.
  [[nodiscard]] std::unexpected<Error> failure(std::string_view what) const;

  UniqueFd fd_;
  const char* fs_type_;
};

// A detached private copy of the mount at `fd` (open_tree(2), not recursive) with MOUNT_ATTR_*
// `attributes` set. `name` is for messages.
[[nodiscard]] Result<UniqueFd> clone_mount(int fd, unsigned attributes, std::string_view name);

// The same without attributes, of the mount at `path`.
[[nodiscard]] Result<UniqueFd> clone_mount(const char* path);

// Attaches a detached mount at `target`; a symbolic link there is not followed.
[[nodiscard]] Result<void> move_mount(int mount_fd, const char* target);

}  // namespace strata::unionfs::sys
