#include "unionfs/base/stream.h"

#include <unistd.h>

#include <cerrno>
#include <vector>

namespace strata {

Result<size_t> FdSource::read(std::span<std::byte> buffer) {
  for (;;) {
    const ssize_t n = ::read(fd_, buffer.data(), buffer.size());
    if (n >= 0) return static_cast<size_t>(n);
    if (errno != EINTR) return fail_errno("read " + name_);
  }
}

Result<void> FdSink::write(std::span<const std::byte> data) {
  while (!data.empty()) {
    const ssize_t n = ::write(fd_, data.data(), data.size());
    if (n >= 0) {
      data = data.subspan(static_cast<size_t>(n));
    } else if (errno != EINTR) {
      return fail_errno("write " + name_);
    }
  }
  return {};
}

Result<unsigned long long> copy_stream(ByteSource& source, ByteSink& sink) {
  constexpr size_t kChunk = size_t{256} << 10;
  std::vector<std::byte> buffer(kChunk);
  unsigned long long total = 0;
  for (;;) {
    STRATA_TRY(const size_t n, source.read(buffer));
    if (n == 0) return total;
    STRATA_CHECK(sink.write(std::span(buffer).first(n)));
    total += n;
  }
}

}  // namespace strata
