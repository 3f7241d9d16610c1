#include "tests/unionfs/tar_builder.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/support/matchers.h"
#include "unionfs/base/file.h"

namespace strata::testing {
namespace {

constexpr size_t kBlock = 512;

void pad(std::string& bytes) {
  bytes.resize((bytes.size() + kBlock - 1) / kBlock * kBlock);
}

// "<length> <key>=<value>\n", where the length counts itself.
std::string pax_record(const std::string& key, const std::string& value) {
  const size_t rest = key.size() + value.size() + 3;
  size_t length = rest;
  while (length != rest + std::to_string(length).size())
    length = rest + std::to_string(length).size();
  return fmt::format("{} {}={}\n", length, key, value);
}

}  // namespace

void TarBuilder::header(const TarEntry& entry, size_t size) {
  std::string block(kBlock, '\0');
  const auto put = [&](size_t at, size_t width, std::string_view text) {
    std::copy_n(text.begin(), std::min(text.size(), width), block.begin() + static_cast<long>(at));
  };
  // Octal, or base-256 for what that can't hold.
  const auto number = [&](size_t at, size_t width, unsigned long long value) {
    const std::string octal = fmt::format("{:0{}o}", value, width - 1);
    if (octal.size() < width) return put(at, width, octal);
    for (size_t i = 0; i < width; ++i, value >>= 8)
      block[at + width - 1 - i] = static_cast<char>(value & 0xff);
    block[at] = static_cast<char>(block[at] | 0x80);
  };
  put(0, 100, entry.name);
  number(100, 8, entry.mode);
  number(108, 8, entry.uid);
  number(116, 8, entry.gid);
  number(124, 12, size);
  number(136, 12, entry.mtime);
  put(148, 8, "        ");
  block[156] = entry.type;
  put(157, 100, entry.link);
  put(257, 8, std::string_view("ustar\00000", 8));
  number(329, 8, entry.major);
  number(337, 8, entry.minor);
  unsigned sum = 0;
  for (const char c : block) sum += static_cast<unsigned char>(c);
  put(148, 8, fmt::format("{:06o}", sum) + '\0');
  bytes_ += block;
}

TarBuilder& TarBuilder::add(const TarEntry& entry) {
  if (!entry.pax.empty()) {
    std::string records;
    for (const auto& [key, value] : entry.pax) records += pax_record(key, value);
    header({.name = "PaxHeader", .type = 'x'}, records.size());
    bytes_ += records;
    pad(bytes_);
  }
  const bool claims = entry.claimed_size >= 0;
  header(entry, claims ? static_cast<size_t>(entry.claimed_size) : entry.content.size());
  bytes_ += entry.content;
  pad(bytes_);
  return *this;
}

Result<size_t> StringSource::read(std::span<std::byte> buffer) {
  const size_t count = std::min({buffer.size(), chunk_, bytes_.size() - at_});
  std::memcpy(buffer.data(), bytes_.data() + at_, count);
  at_ += count;
  at_end_ = count == 0;
  return count;
}

Result<void> StringSink::write(std::span<const std::byte> data) {
  bytes_.append(reinterpret_cast<const char*>(data.data()), data.size());
  return {};
}

Result<unionfs::LayerStats> unpack(const std::string& tar, const std::filesystem::path& layer,
                                   const unionfs::UnpackOptions& options) {
  STRATA_CHECK(make_dirs(layer));
  StringSource source(tar);
  return unionfs::unpack_layer(source, layer, options);
}

std::string pack(const std::filesystem::path& layer) {
  StringSink sink;
  EXPECT_THAT(unionfs::pack_layer(layer, sink), IsOk());
  return sink.bytes();
}

}  // namespace strata::testing
