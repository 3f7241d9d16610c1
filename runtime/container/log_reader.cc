#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "runtime/container/log.h"
#include "runtime/container/log_writer.h"

namespace strata::container {
namespace {

// Where the log's hole ends; 0 if there is none (or nothing at all).
off_t first_data(int file) {
  return std::max<off_t>(0, ::lseek(file, 0, SEEK_DATA));
}

// Locks or unlocks a range of the log, without waiting. A `length` of 0: up to its end, wherever
// that will be.
void lock_range(int file, short type, off_t start, off_t length) {
  struct flock range {};
  range.l_type = type;
  range.l_whence = SEEK_SET;
  range.l_start = start;
  range.l_len = length;
  (void)::fcntl(file, F_OFD_SETLK, &range);
}

// Walks a log's lines from its end to its start.
class BackwardLines {
 public:
  BackwardLines(int file, off_t end)
      : file_(file), first_(first_data(file)), start_(end), end_(end) {}

  // The line before the last one given (without newline) and where it begins; false at the start.
  Result<bool> next(std::string_view& line, off_t& begin) {
    if (end_ <= first_) return false;
    for (;;) {
      // buffer_ holds [start_, end_); its last byte is the newline that ends the wanted line.
      const auto newline =
          buffer_.size() >= 2 ? buffer_.rfind('\n', buffer_.size() - 2) : std::string::npos;
      if (newline != std::string::npos || start_ <= first_) {
        const size_t from = newline == std::string::npos ? 0 : newline + 1;
        line_.assign(buffer_, from, buffer_.size() - from - (buffer_.empty() ? 0 : 1));
        buffer_.resize(from);
        end_ = start_ + static_cast<off_t>(from);
        line = line_;
        begin = end_;
        return true;
      }
      STRATA_CHECK(grow());
    }
  }

 private:
  Result<void> grow() {
    constexpr off_t kChunk = 65536;
    const off_t from = std::max(first_, start_ - kChunk);
    std::string chunk(static_cast<size_t>(start_ - from), '\0');
    const ssize_t n = ::pread(file_, chunk.data(), chunk.size(), from);
    if (n != static_cast<ssize_t>(chunk.size()))
      return fail_errno("read the log", n < 0 ? errno : EIO);
    buffer_.insert(0, chunk);
    start_ = from;
    return {};
  }

  int file_;
  off_t first_;  // nothing is there before it
  off_t start_;  // of buffer_ in the file
  off_t end_;    // of what was not given out yet
  std::string buffer_;
  std::string line_;
};

// Where the last complete line ends.
Result<off_t> complete_end(int file) {
  struct stat st {};
  if (::fstat(file, &st) < 0) return fail_errno("look at the log");
  off_t end = st.st_size;
  char last = '\n';
  while (end > 0) {
    if (::pread(file, &last, 1, end - 1) != 1) return fail_errno("read the log");
    if (last == '\n') break;
    --end;
  }
  return end;
}

}  // namespace

Result<bool> LogReader::fill() {
  constexpr size_t kChunk = 65536;
  buffer_.erase(0, std::exchange(begin_, 0));
  const size_t used = buffer_.size();
  buffer_.resize(used + kChunk);
  ssize_t n = 0;
  do {
    n = ::pread(file_.get(), buffer_.data() + used, kChunk, offset_);
  } while (n < 0 && errno == EINTR);
  buffer_.resize(used + static_cast<size_t>(std::max<ssize_t>(n, 0)));
  if (n < 0) return fail_errno("read the log");
  if (buffer_.find('\0', used) != std::string::npos) {
    skip_hole(used, n);
  } else {
    offset_ += n;
  }
  release_read();
  return n > 0;
}

// Records hold no zero byte: this one is of the hole (or of a disk that lost something), and the
// line before it, if there was half of one, is lost.
void LogReader::skip_hole(size_t used, off_t chunk) {
  const off_t data = first_data(file_.get());
  if (data <= offset_) {
    offset_ += chunk;
    return;
  }
  buffer_.resize(used);
  buffer_ += '\n';
  offset_ = data;
}

void LogReader::hold() {
  held_ = offset_;
  lock_range(file_.get(), F_RDLCK, offset_, 0);
}

void LogReader::release_read() {
  if (!held_ || offset_ - *held_ < kLogPortion) return;
  lock_range(file_.get(), F_UNLCK, *held_, offset_ - *held_);
  held_ = offset_;
}

Result<std::optional<LogRecord>> LogReader::next() {
  size_t searched = begin_;
  for (;;) {
    const auto newline = buffer_.find('\n', searched);
    if (newline == std::string::npos) {
      searched = buffer_.size() - begin_;  // fill() moves what is left to the start
      STRATA_TRY(const bool more, fill());
      if (!more) return std::optional<LogRecord>();
      continue;
    }
    auto record = parse_record(std::string_view(buffer_).substr(begin_, newline - begin_));
    begin_ = newline + 1;
    searched = begin_;
    if (record) return record;
  }
}

Result<off_t> tail_offset(int file, size_t lines) {
  STRATA_TRY(off_t offset, complete_end(file));
  BackwardLines backward(file, offset);
  size_t found = 0;
  bool first = true;
  for (;;) {
    std::string_view line;
    off_t begin = 0;
    STRATA_TRY(const bool more, backward.next(line, begin));
    if (!more) return 0;
    const auto record = parse_record(line);
    if (record) {
      // A record that ends a line starts the count of another one; so does an unfinished last line.
      if (first || record->text.ends_with('\n')) ++found;
      first = false;
      if (found > lines) return offset;
    }
    offset = begin;
  }
}

}  // namespace strata::container
