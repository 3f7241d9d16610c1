// libarchive's tar reader over a ByteSource, with errors as values.
//
// Thread rule: one user at a time, always from one thread.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "unionfs/base/result.h"
#include "unionfs/base/stream.h"
#include "unionfs/tar/archive_locale.h"

struct archive;
struct archive_entry;  // libarchive's

namespace strata::unionfs::tar {

// A piece of a file's content. What lies between pieces is a hole.
struct DataBlock {
  std::span<const std::byte> data;
  uint64_t offset = 0;
};

class ArchiveReader {
 public:
  // `source` must outlive the reader.
  [[nodiscard]] static Result<std::unique_ptr<ArchiveReader>> open(ByteSource& source);
  ArchiveReader(const ArchiveReader&) = delete;
  ArchiveReader& operator=(const ArchiveReader&) = delete;
  ~ArchiveReader();

  // The next entry, or nullptr at the end. Valid until the next call. EINVAL for what is no tar, is
  // damaged or cut off, or says something that libarchive can't make out.
  [[nodiscard]] Result<archive_entry*> next();

  // The next piece of the entry's content, or nullopt at its end. Valid until the next call.
  [[nodiscard]] Result<std::optional<DataBlock>> next_block();

  // Reads what follows the end of the archive.
  [[nodiscard]] Result<void> drain();

 private:
  explicit ArchiveReader(ByteSource& source);
  static ssize_t on_read(archive* handle, void* self, const void** buffer);
  [[nodiscard]] std::unexpected<Error> failure();

  ArchiveLocale locale_{"C"};
  ByteSource& source_;
  std::vector<std::byte> buffer_;
  std::optional<Error> source_error_;
  bool is_primed_ = false;
  uint64_t bytes_read_ = 0;
  archive* handle_;
};

}  // namespace strata::unionfs::tar
