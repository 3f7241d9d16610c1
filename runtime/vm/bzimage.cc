#include "runtime/vm/bzimage.h"

#include <elf.h>

#include <cstdint>
#include <cstring>

#include "runtime/vm/archive.h"

namespace strata::vm {
namespace {

// Offsets of the setup header ("The Real-Mode Kernel Header").
constexpr size_t kSetupSectors = 0x1f1;
constexpr size_t kMagic = 0x202;
constexpr size_t kVersion = 0x206;
constexpr size_t kPayloadOffset = 0x248;
constexpr size_t kPayloadLength = 0x24c;
constexpr size_t kHeaderEnd = 0x250;
constexpr size_t kSector = 512;
constexpr uint16_t kVersionWithPayload = 0x0208;
constexpr unsigned kDefaultSetupSectors = 4;

template <class T>
T read_at(std::string_view bytes, size_t offset) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

}  // namespace

Result<std::string> extract_vmlinux(std::string_view bzimage, std::string_view name) {
  if (bzimage.size() < kHeaderEnd || bzimage.substr(kMagic, 4) != "HdrS" ||
      read_at<uint16_t>(bzimage, kVersion) < kVersionWithPayload)
    return fail(EINVAL, std::string(name) + " is not a Linux kernel image for x86");
  unsigned sectors = read_at<uint8_t>(bzimage, kSetupSectors);
  if (sectors == 0) sectors = kDefaultSetupSectors;
  const size_t offset = (sectors + 1) * kSector + read_at<uint32_t>(bzimage, kPayloadOffset);
  const size_t length = read_at<uint32_t>(bzimage, kPayloadLength);
  if (offset > bzimage.size() || length > bzimage.size() - offset)
    return fail(EINVAL, std::string(name) + " is cut off");
  std::string_view payload = bzimage.substr(offset, length);
  // All but gzip are followed by the length of the content (scripts/Makefile.lib: size_append).
  constexpr std::string_view kGzip = "\x1f\x8b";
  if (!payload.starts_with(kGzip) && payload.size() > sizeof(uint32_t))
    payload.remove_suffix(sizeof(uint32_t));
  auto vmlinux = decompress(payload, name);
  if (vmlinux && !vmlinux->starts_with(ELFMAG))
    return fail(EBADMSG, std::string(name) + " does not hold an ELF file");
  return vmlinux;
}

}  // namespace strata::vm
