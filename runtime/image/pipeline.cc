#include "runtime/image/pipeline.h"

#include "runtime/image/interrupt.h"
#include "unionfs/base/terminal.h"

namespace strata::image {

Result<size_t> DigestSource::read(std::span<std::byte> buffer) {
  STRATA_TRY(const size_t n, in_.read(buffer));
  sha_.update(buffer.first(n));
  bytes_ += n;
  return n;
}

Result<void> DigestSink::write(std::span<const std::byte> data) {
  STRATA_CHECK(check_interrupt());
  STRATA_CHECK(out_.write(data));
  sha_.update(data);
  bytes_ += data.size();
  return {};
}

Result<size_t> TeeSource::read(std::span<std::byte> buffer) {
  STRATA_TRY(const size_t n, in_.read(buffer));
  STRATA_CHECK(copy_.write(buffer.first(n)));
  return n;
}

Result<size_t> WatchedSource::read(std::span<std::byte> buffer) {
  STRATA_CHECK(check_interrupt());
  STRATA_TRY(const size_t n, in_.read(buffer));
  bytes_ += n;
  if (report_) report_(what_ + ", " + human_size(bytes_));
  return n;
}

Result<size_t> LimitedSource::read(std::span<std::byte> buffer) {
  // Highly compressed data gives much output from little input: look at the signal here, too.
  STRATA_CHECK(check_interrupt());
  STRATA_TRY(const size_t n, in_.read(buffer));
  bytes_ += n;
  if (bytes_ > limits_.max_bytes)
    return fail(EFBIG, "more than " + human_size(limits_.max_bytes) +
                           " uncompressed (--max-size raises the limit)");
  if (bytes_ > limits_.ratio_from && bytes_ / limits_.max_ratio > compressed_.bytes())
    return fail(EFBIG, "grows more than " + std::to_string(limits_.max_ratio) +
                           " times on decompression, like a decompression bomb (--max-size "
                           "allows a size)");
  return n;
}

}  // namespace strata::image
