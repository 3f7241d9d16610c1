#include "runtime/container/log_writer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace strata::container {
namespace {

// Whether somebody holds a part of the first `length` bytes.
bool is_held(int file, off_t length) {
  struct flock range {};
  range.l_type = F_WRLCK;
  range.l_whence = SEEK_SET;
  range.l_len = length;
  return ::fcntl(file, F_OFD_GETLK, &range) == 0 && range.l_type != F_UNLCK;
}

}  // namespace

LogWriter::LogWriter(UniqueFd file, off_t kept) : file_(std::move(file)), kept_(kept) {
  struct stat st {};
  if (::fstat(file_.get(), &st) == 0) end_ = st.st_size;
  start_ = std::max<off_t>(0, ::lseek(file_.get(), 0, SEEK_DATA));
}

Result<void> LogWriter::append(std::string_view lines) {
  while (!lines.empty()) {
    const ssize_t n = ::write(file_.get(), lines.data(), lines.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno("write the log");
    lines.remove_prefix(static_cast<size_t>(n));
    end_ += n;
  }
  (void)is_full();
  return {};
}

bool LogWriter::is_full() {
  const off_t surplus = (end_ - kept_) / kLogPortion * kLogPortion;
  return surplus > start_ && !let_go(surplus);
}

bool LogWriter::let_go(off_t end) {
  if (is_held(file_.get(), end)) return false;
  // A file system that can't do this keeps everything.
  (void)::fallocate(file_.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, end);
  start_ = end;
  return true;
}

}  // namespace strata::container
