// libarchive's PAX writer into a ByteSink, with errors as values.
//
// What it writes depends on the entries alone: no process IDs, no access or change times, no names
// of users, no padding beyond the two blocks of the end.
//
// Thread rule: one user at a time, always from one thread.
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "unionfs/base/result.h"
#include "unionfs/base/stream.h"
#include "unionfs/files/attributes.h"
#include "unionfs/tar/archive_locale.h"

struct archive;  // libarchive's

namespace strata::unionfs::tar {

// Plain value: an entry as it goes into the tar.
struct PackEntry {
  std::string name;       // as in the tar; a directory's may end in a slash or not
  mode_t type = S_IFREG;  // S_IFMT value
  Attributes attributes;
  std::string link;  // target of a symbolic or hard link
  bool is_hard_link = false;
  dev_t device = 0;
  uint64_t size = 0;            // of a regular file
  std::vector<Extent> extents;  // of a sparse file, in order; empty: not sparse
};

// Whether a file of this name may have `extents`: libarchive (3.6) cuts the names of sparse files
// that don't fit a ustar header. Their holes have to be written out.
[[nodiscard]] bool can_be_sparse(std::string_view name);

class ArchiveWriter {
 public:
  // `sink` must outlive the writer.
  [[nodiscard]] static Result<std::unique_ptr<ArchiveWriter>> open(ByteSink& sink);
  ArchiveWriter(const ArchiveWriter&) = delete;
  ArchiveWriter& operator=(const ArchiveWriter&) = delete;
  ~ArchiveWriter();

  // EINVAL for what a tar can't say.
  [[nodiscard]] Result<void> write_header(const PackEntry& entry);

  // The content of the last header's file from its start, holes included (as zeros).
  // REQUIRES: no more than its size altogether.
  [[nodiscard]] Result<void> write_data(std::span<const std::byte> data);

  // Writes the end of the archive.
  [[nodiscard]] Result<void> close();

 private:
  explicit ArchiveWriter(ByteSink& sink);
  static ssize_t on_write(archive* handle, void* self, const void* buffer, size_t size);
  [[nodiscard]] std::unexpected<Error> failure();

  ArchiveLocale locale_{"C.UTF-8"};
  ByteSink& sink_;
  std::optional<Error> sink_error_;
  archive* handle_;
};

}  // namespace strata::unionfs::tar
