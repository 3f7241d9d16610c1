// The writing side of a container's log: it appends, and lets the oldest part go so that the log
// does not fill the disk.
//
// The file keeps its length, and every record its offset: what is let go becomes a hole at the
// file's start (fallocate(2), FALLOC_FL_PUNCH_HOLE). So readers go on where they are, and those
// that begin at the start find the first record that is there. What a reader holds (LogReader::
// hold()) is not let go.
//
// Thread rule: one user.
#pragma once

#include <sys/types.h>

#include <string_view>

#include "unionfs/base/result.h"
#include "unionfs/base/unique_fd.h"

namespace strata::container {

// What is kept of a log at least, once there was so much.
inline constexpr off_t kLogKept = off_t{64} << 20;
// It is let go in portions of this size.
inline constexpr off_t kLogPortion = off_t{1} << 20;

class LogWriter {
 public:
  // `file` is open for reading and appending.
  explicit LogWriter(UniqueFd file, off_t kept = kLogKept);

  [[nodiscard]] int fd() const { return file_.get(); }

  [[nodiscard]] Result<void> append(std::string_view lines);

  // Whether the log is as large as it may be, and a reader holds its oldest part. Whoever writes
  // waits then, or the log grows on. Looks again each time.
  [[nodiscard]] bool is_full();

 private:
  [[nodiscard]] bool let_go(off_t end);

  UniqueFd file_;
  off_t kept_;
  off_t start_ = 0;  // below it is nothing
  off_t end_ = 0;
};

}  // namespace strata::container
