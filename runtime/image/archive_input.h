// libarchive reading from a ByteSource: errors of the source stay what they are, errors of the
// content become EBADMSG.
//
// Private to runtime/image. Thread rule: one user at a time.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "unionfs/base/stream.h"

struct archive;
struct archive_entry;

namespace strata::image {

class ArchiveInput {
 public:
  enum class Kind {
    kCompressed,  // one compressed stream of any kind, given back as one entry
    kTar,         // a tar, not compressed
  };

  // `in` must outlive it.
  ArchiveInput(ByteSource& in, Kind kind);
  ArchiveInput(const ArchiveInput&) = delete;
  ArchiveInput& operator=(const ArchiveInput&) = delete;

  // The next entry, valid until the next call; nullptr at the end.
  [[nodiscard]] Result<archive_entry*> next();

  // Content of the current entry; 0 at its end.
  [[nodiscard]] Result<size_t> read(std::span<std::byte> buffer);

 private:
  struct Free {
    void operator()(archive* a) const;
  };
  static ssize_t feed(archive* a, void* self, const void** data);
  [[nodiscard]] Result<void> open();
  [[nodiscard]] Error error() const;

  ByteSource& in_;
  Kind kind_;
  bool opened_ = false;
  std::vector<std::byte> buffer_;
  std::optional<Error> input_error_;
  std::unique_ptr<archive, Free> archive_;
};

}  // namespace strata::image
