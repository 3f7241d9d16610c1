// What mounts of overlayfs through a file system context have in common.
//
// Thread rule: a context has one user at a time.
#pragma once

#include "unionfs/base/result.h"
#include "unionfs/overlay.h"
#include "unionfs/sys/mount_api.h"

namespace strata::unionfs {

// Adds layers below those that are there, by descriptor where the kernel can.
class LayerAdder {
 public:
  explicit LayerAdder(sys::FsContext& context) : context_(context) {}

  // `key` is "lowerdir+" or "datadir+". `fd` (O_PATH is enough) is used during the call only.
  [[nodiscard]] Result<void> add(const char* key, int fd);

 private:
  sys::FsContext& context_;
  bool by_fd_ = true;
};

// The upper and work directory, and the options that make an upper directory mean the same wherever
// it is read.
[[nodiscard]] Result<void> set_upper(sys::FsContext& context, const Upper& upper,
                                     const OverlayOptions& options);

}  // namespace strata::unionfs
