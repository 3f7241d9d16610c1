// A container's log: docker's json-file format, one object a line.
//
//   {"log":"hello\n","stream":"stdout","time":"2024-05-17T09:30:12.123456789Z"}
//
// A record holds a line or a part of one: what the container wrote without a newline at its end is
// logged at once, as a record without newline, so that whoever follows the log sees a prompt. The
// texts of a stream's records, one after the other, are exactly the bytes that were written: a byte
// that is not part of valid UTF-8 stands as the lone surrogate \udc80 to \udcff (Python's
// "surrogateescape"; other readers show U+FFFD).
//
// The log is what `strata logs`, and a program attached to the container, read. Of a long one the
// oldest part is let go (log_writer.h): the file then begins with a hole.
//
// Thread rule: one user at a time for each object; any number of readers beside the one writer.
#pragma once

#include <sys/types.h>
#include <time.h>

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "unionfs/base/result.h"
#include "unionfs/base/unique_fd.h"

namespace strata::container {

enum class Stream { kOut = 0, kErr = 1 };

struct LogRecord {
  Stream stream = Stream::kOut;
  std::string text;
  std::string time;  // RFC 3339
};

// One record as a line of the log, with its newline.
[[nodiscard]] std::string format_record(Stream stream, std::string_view text,
                                        std::string_view time);

// nullopt for a line that format_record() did not write. `line` is without newline.
[[nodiscard]] std::optional<LogRecord> parse_record(std::string_view line);

// What is to be written for the bytes of a stream. A character cut in two by the end of `bytes`
// waits for its rest.
class LogFormatter {
 public:
  [[nodiscard]] std::string format(Stream stream, std::string_view bytes, const timespec& time);

  // What still waits, at the end of the streams.
  [[nodiscard]] std::string finish(const timespec& time);

 private:
  std::array<std::string, 2> waiting_;
};

// Reads records one after the other, at most up to the end of the last complete line.
class LogReader {
 public:
  LogReader(UniqueFd file, off_t offset) : file_(std::move(file)), offset_(offset) {}

  // nullopt at the (present) end of the log. Lines that can't be understood are skipped: a writer
  // that was killed, or ran out of space, may have left half a line.
  [[nodiscard]] Result<std::optional<LogRecord>> next();

  // Keeps the writer from letting go what is not read yet, for as long as this reader lives.
  // REQUIRES: nobody else has this open file (open(2): "open file description").
  void hold();

 private:
  [[nodiscard]] Result<bool> fill();
  void skip_hole(size_t used, off_t chunk);
  void release_read();
  UniqueFd file_;
  off_t offset_;               // of what is read next from the file
  std::string buffer_;         // read and not yet given out
  size_t begin_ = 0;           // of that, in buffer_
  std::optional<off_t> held_;  // from here on
};

// Where the last `lines` lines of a log begin. Parts of a line count as one.
[[nodiscard]] Result<off_t> tail_offset(int file, size_t lines);

}  // namespace strata::container
