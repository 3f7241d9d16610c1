// A cpio archive in the "newc" format (cpio(5)), as the kernel unpacks an initramfs
// (Documentation/driver-api/early-userspace/buffer-format.rst), made in memory.
//
// Thread rule: one owner.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace strata::vm {

class CpioWriter {
 public:
  // Names are relative, without a leading '/'. The kernel unpacks in order: a directory comes
  // before what is in it. REQUIRES: content shorter than 4 GiB.
  void add_directory(std::string_view name, mode_t permissions = 0755);
  void add_file(std::string_view name, std::string_view content, mode_t permissions = 0644);

  // The archive with its trailer. The writer is spent.
  [[nodiscard]] std::string finish() &&;

 private:
  void add(std::string_view name, mode_t mode, std::string_view content);

  std::string archive_;
  uint32_t next_inode_ = 1;
};

}  // namespace strata::vm
