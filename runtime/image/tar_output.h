// A tar of plain files, reproducible: owner, mode and time are fixed.
//
// Private to runtime/image. Thread rule: one user at a time.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "unionfs/base/stream.h"

struct archive;

namespace strata::image {

class TarOutput {
 public:
  // `out` must outlive it.
  explicit TarOutput(ByteSink& out);
  TarOutput(const TarOutput&) = delete;
  TarOutput& operator=(const TarOutput&) = delete;

  [[nodiscard]] Result<void> add_directory(std::string_view path);
  [[nodiscard]] Result<void> add_text(std::string_view path, std::string_view text);
  // Takes `size` bytes from `content`; EIO if there are more or fewer.
  [[nodiscard]] Result<void> add_file(std::string_view path, uint64_t size, ByteSource& content);

  // Writes the end of the archive. Once.
  [[nodiscard]] Result<void> finish();

 private:
  struct Free {
    void operator()(archive* a) const;
  };
  static ssize_t drain(archive* a, void* self, const void* data, size_t size);
  [[nodiscard]] Result<void> open();
  [[nodiscard]] Result<void> header(std::string_view path, unsigned type, uint64_t size);
  [[nodiscard]] Result<void> data(std::span<const std::byte> bytes);
  [[nodiscard]] Error error() const;

  ByteSink& out_;
  bool opened_ = false;
  std::optional<Error> output_error_;
  std::unique_ptr<archive, Free> archive_;
};

}  // namespace strata::image
