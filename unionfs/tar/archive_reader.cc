#include "unionfs/tar/archive_reader.h"

#include <cerrno>
#include <string_view>
#include <utility>

namespace strata::unionfs::tar {
namespace {

constexpr size_t kBufferSize = size_t{256} << 10;

// The one warning that is no fault: see archive_locale.h. Anything else libarchive warns of means
// that it left something out.
bool is_about_locale(const char* text) {
  return text != nullptr && std::string_view(text).ends_with("to current locale.");
}

}  // namespace

ArchiveReader::ArchiveReader(ByteSource& source)
    : source_(source), buffer_(kBufferSize), handle_(::archive_read_new()) {}

ArchiveReader::~ArchiveReader() {
  ::archive_read_free(handle_);
}

Result<std::unique_ptr<ArchiveReader>> ArchiveReader::open(ByteSource& source) {
  std::unique_ptr<ArchiveReader> reader(new ArchiveReader(source));
  if (reader->handle_ == nullptr) return fail_errno("start reading a tar", ENOMEM);
  if (::archive_read_support_format_tar(reader->handle_) != ARCHIVE_OK ||
      ::archive_read_open2(reader->handle_, reader.get(), nullptr, on_read, nullptr, nullptr) !=
          ARCHIVE_OK)
    return reader->failure();
  return reader;
}

la_ssize_t ArchiveReader::on_read(archive* handle, void* self, const void** buffer) {
  auto& reader = *static_cast<ArchiveReader*>(self);
  auto count = reader.source_.read(reader.buffer_);
  if (!count) {
    reader.source_error_ = std::move(count).error();
    ::archive_set_error(handle, EIO, "the source failed");
    return -1;
  }
  *buffer = reader.buffer_.data();
  return static_cast<la_ssize_t>(*count);
}

std::unexpected<Error> ArchiveReader::failure() {
  if (source_error_) return std::unexpected(*std::move(source_error_));
  if (::archive_errno(handle_) == ENOMEM) return fail_errno("read the tar", ENOMEM);
  const char* text = ::archive_error_string(handle_);
  return fail(EINVAL, std::string("the tar is damaged: ") + (text != nullptr ? text : "unknown"));
}

Result<archive_entry*> ArchiveReader::next() {
  archive_entry* entry = nullptr;
  switch (::archive_read_next_header(handle_, &entry)) {
    case ARCHIVE_OK:
      return entry;
    case ARCHIVE_EOF:
      return nullptr;
    case ARCHIVE_WARN:
      if (is_about_locale(::archive_error_string(handle_))) return entry;
      [[fallthrough]];
    default:
      return failure();
  }
}

Result<std::optional<DataBlock>> ArchiveReader::next_block() {
  const void* data = nullptr;
  size_t size = 0;
  la_int64_t offset = 0;
  const int status = ::archive_read_data_block(handle_, &data, &size, &offset);
  if (status == ARCHIVE_EOF) return std::nullopt;
  if (status != ARCHIVE_OK) return failure();
  if (offset < 0) return fail(EINVAL, "the tar is damaged: a negative offset");
  return DataBlock{{static_cast<const std::byte*>(data), size}, static_cast<uint64_t>(offset)};
}

Result<void> ArchiveReader::drain() {
  for (;;) {
    STRATA_TRY(const size_t count, source_.read(buffer_));
    if (count == 0) return {};
  }
}

}  // namespace strata::unionfs::tar
