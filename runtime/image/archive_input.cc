#include "runtime/image/archive_input.h"

#include <archive.h>

#include <string>

namespace strata::image {
namespace {

constexpr size_t kBuffer = size_t{256} << 10;

}  // namespace

void ArchiveInput::Free::operator()(archive* a) const {
  ::archive_read_free(a);
}

ArchiveInput::ArchiveInput(ByteSource& in, Kind kind)
    : in_(in), kind_(kind), buffer_(kBuffer), archive_(::archive_read_new()) {}

Result<void> ArchiveInput::open() {
  if (!archive_) return fail(ENOMEM, "set up libarchive");
  if (kind_ == Kind::kCompressed) {
    ::archive_read_support_filter_all(archive_.get());
    ::archive_read_support_format_raw(archive_.get());
  } else {
    ::archive_read_support_format_tar(archive_.get());
  }
  if (::archive_read_open(archive_.get(), this, nullptr, feed, nullptr) != ARCHIVE_OK)
    return std::unexpected(error());
  opened_ = true;
  return {};
}

Result<archive_entry*> ArchiveInput::next() {
  if (!opened_) STRATA_CHECK(open());
  archive_entry* entry = nullptr;
  const int rc = ::archive_read_next_header(archive_.get(), &entry);
  if (rc == ARCHIVE_EOF) return nullptr;
  // A warning (a name that this locale can't say, an odd attribute) does no harm here.
  if (rc != ARCHIVE_OK && rc != ARCHIVE_WARN) return std::unexpected(error());
  return entry;
}

Result<size_t> ArchiveInput::read(std::span<std::byte> buffer) {
  const la_ssize_t n = ::archive_read_data(archive_.get(), buffer.data(), buffer.size());
  if (n < 0) return std::unexpected(error());
  return static_cast<size_t>(n);
}

ssize_t ArchiveInput::feed(archive* a, void* self_pointer, const void** data) {
  auto* self = static_cast<ArchiveInput*>(self_pointer);
  auto n = self->in_.read(self->buffer_);
  if (n) {
    *data = self->buffer_.data();
    return static_cast<ssize_t>(*n);
  }
  ::archive_set_error(a, n.error().code, "%s", n.error().what.c_str());
  self->input_error_ = std::move(n).error();
  return -1;
}

Error ArchiveInput::error() const {
  if (input_error_) return *input_error_;
  const char* text = ::archive_error_string(archive_.get());
  const std::string what =
      kind_ == Kind::kTar ? "damaged, or not a tar: " : "damaged compressed data: ";
  return {EBADMSG, what + (text != nullptr ? text : "unknown")};
}

}  // namespace strata::image
