#include "runtime/vm/cpio.h"

#include <sys/stat.h>

#include <array>
#include <cstdio>
#include <utility>

namespace strata::vm {
namespace {

constexpr size_t kAlignment = 4;
constexpr std::string_view kTrailer = "TRAILER!!!";

void pad(std::string& archive) {
  archive.resize((archive.size() + kAlignment - 1) / kAlignment * kAlignment);
}

}  // namespace

void CpioWriter::add(std::string_view name, mode_t mode, std::string_view content) {
  const bool is_trailer = name == kTrailer;
  const uint32_t inode = is_trailer ? 0 : next_inode_++;
  const uint32_t links = S_ISDIR(mode) ? 2 : 1;
  const auto size = static_cast<uint32_t>(content.size());
  const auto name_size = static_cast<uint32_t>(name.size() + 1);
  // magic, then: inode, mode, uid, gid, links, mtime, size, device and rdevice (major, minor), name
  // size, checksum
  std::array<char, 111> header{};
  std::snprintf(header.data(), header.size(),
                "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X", inode, mode, 0U, 0U,
                links, 0U, size, 0U, 0U, 0U, 0U, name_size, 0U);
  archive_.append(header.data(), header.size() - 1);
  archive_.append(name);
  archive_.push_back('\0');
  pad(archive_);
  archive_.append(content);
  pad(archive_);
}

void CpioWriter::add_directory(std::string_view name, mode_t permissions) {
  add(name, S_IFDIR | permissions, {});
}

void CpioWriter::add_file(std::string_view name, std::string_view content, mode_t permissions) {
  add(name, S_IFREG | permissions, content);
}

std::string CpioWriter::finish() && {
  add(kTrailer, 0, {});
  return std::move(archive_);
}

}  // namespace strata::vm
