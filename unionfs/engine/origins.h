// Where copied-up files came from, as overlayfs notes it (overlay.origin; fs/overlayfs/overlayfs.h:
// struct ovl_fb): the lower file's handle, and the UUID of its file system. By that a file has the
// same inode number before it is copied up and ever after.
//
// Thread rule: immutable, may be shared.
#pragma once

#include <sys/stat.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "unionfs/base/result.h"
#include "unionfs/base/unique_fd.h"
#include "unionfs/layer_stack.h"
#include "unionfs/sys/file_handle.h"

namespace strata::unionfs::engine {

class Origins {
 public:
  Origins() = default;

  // Of files in `stack` under an upper layer open as `upper`.
  [[nodiscard]] static Result<Origins> of(const LayerStack& stack, int upper);

  // The note of the lower file open as `fd`, which `status` is of. "" where its file system can't
  // name files for good: that, too, tells a copy from a file that was never below.
  [[nodiscard]] std::string note_of(int fd, const struct stat& status) const;

  // The file that `note` names. nullopt if it is gone, or on none of the layers' file systems, or
  // if that can't be told (fs/overlayfs/namei.c: ovl_check_origin_fh).
  [[nodiscard]] std::optional<struct stat> find(std::string_view note) const;

 private:
  struct FileSystem {
    dev_t device = 0;
    UniqueFd mount;  // a directory on it
    std::optional<sys::Uuid> uuid;
    bool is_distinct = true;  // its UUID tells it from the other layers' file systems
  };

  [[nodiscard]] const FileSystem* of_device(dev_t device) const;

  std::vector<FileSystem> file_systems_;
};

}  // namespace strata::unionfs::engine
