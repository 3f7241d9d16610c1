#include "unionfs/tar/archive_reader.h"

#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <array>
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

// libarchive (3.6) drops the first link target of a tar if it stands in the PAX header alone, since
// its buffer for the ustar field has not been used yet; Go's archive/tar leaves that field empty
// for targets without any ASCII. So each tar gets an entry in front that uses the buffer.
constexpr std::array<char, 512> kPrimer = [] {
  std::array<char, 512> block{};
  const auto put = [&](size_t at, std::string_view text) {
    std::ranges::copy(text, block.begin() + at);
  };
  put(0, "primer");
  put(100, "0000777");           // mode
  put(148, "        ");          // checksum, as it counts itself
  put(156, "2primer");           // symbolic link, its target
  put(257, {"ustar\00000", 8});  // magic and version
  unsigned sum = 0;
  for (const char c : block) sum += static_cast<unsigned char>(c);
  for (size_t i = 6; i-- > 0; sum /= 8) block[148 + i] = static_cast<char>('0' + sum % 8);
  block[154] = '\0';
  return block;
}();

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
  STRATA_CHECK(reader->next());  // the primer
  return reader;
}

la_ssize_t ArchiveReader::on_read(archive* handle, void* self, const void** buffer) {
  auto& reader = *static_cast<ArchiveReader*>(self);
  if (!std::exchange(reader.is_primed_, true)) {
    *buffer = kPrimer.data();
    return kPrimer.size();
  }
  auto count = reader.source_.read(reader.buffer_);
  if (!count) {
    reader.source_error_ = std::move(count).error();
    ::archive_set_error(handle, EIO, "the source failed");
    return -1;
  }
  reader.bytes_read_ += *count;
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
      if (bytes_read_ == 0) return fail(EINVAL, "it is empty, not even a tar without entries");
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
