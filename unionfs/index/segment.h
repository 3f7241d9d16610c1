// One file of an index, mapped and verified. format.h tells what stands in it.
//
// Thread rule: immutable, may be shared.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include "unionfs/base/result.h"
#include "unionfs/index/format.h"

namespace strata::unionfs::index {

class Segment {
 public:
  // Maps the file. EBADMSG for what isn't a whole segment of this version, its checksum included;
  // ENOENT and what open(2) and mmap(2) report.
  [[nodiscard]] static Result<std::shared_ptr<const Segment>> open(
      const std::filesystem::path& path);

  // A segment in memory. `name` is for messages.
  [[nodiscard]] static Result<std::shared_ptr<const Segment>> from(
      std::vector<std::byte> bytes, const std::filesystem::path& name);

  Segment(const Segment&) = delete;
  Segment& operator=(const Segment&) = delete;
  ~Segment();

  [[nodiscard]] const Header& header() const;
  [[nodiscard]] std::span<const std::byte> bytes() const { return bytes_; }

 private:
  Segment() = default;

  [[nodiscard]] Result<void> verify(const std::filesystem::path& name) const;

  std::span<const std::byte> bytes_;
  std::vector<std::byte> owned_;  // empty: bytes_ is a mapping
};

// The checksum of a segment as Header::checksum has it.
[[nodiscard]] Checksum checksum_of(std::span<const std::byte> segment);

}  // namespace strata::unionfs::index
