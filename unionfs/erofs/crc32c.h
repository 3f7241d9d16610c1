// CRC-32C (Castagnoli), reflected, without the final inversion: as the kernel's crc32c().
//
// Thread rule: pure functions.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace strata::unionfs::erofs {

inline constexpr auto kCrc32cTable = [] {
  std::array<uint32_t, 256> table{};
  for (uint32_t byte = 0; byte < table.size(); ++byte) {
    uint32_t value = byte;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1) != 0 ? 0x82f63b78U : 0);
    table[byte] = value;
  }
  return table;
}();

[[nodiscard]] constexpr uint32_t crc32c(uint32_t crc, std::span<const std::byte> data) {
  for (const std::byte byte : data)
    crc = (crc >> 8) ^ kCrc32cTable[(crc ^ std::to_integer<uint32_t>(byte)) & 0xff];
  return crc;
}

}  // namespace strata::unionfs::erofs
