#include "runtime/image/tar_output.h"

#include <archive.h>
#include <archive_entry.h>
#include <sys/stat.h>

#include <string>
#include <vector>

namespace strata::image {
namespace {

struct FreeEntry {
  void operator()(archive_entry* entry) const { ::archive_entry_free(entry); }
};

}  // namespace

void TarOutput::Free::operator()(archive* a) const {
  // After an error nothing more shall reach the sink, not even an end of archive.
  ::archive_write_fail(a);
  ::archive_write_free(a);
}

TarOutput::TarOutput(ByteSink& out) : out_(out), archive_(::archive_write_new()) {}

Result<void> TarOutput::open() {
  if (!archive_) return fail(ENOMEM, "set up libarchive");
  // ustar wherever it is enough, PAX headers for files of 8 GiB and more.
  ::archive_write_set_format_pax_restricted(archive_.get());
  constexpr int kBlock = 64 << 10;
  ::archive_write_set_bytes_per_block(archive_.get(), kBlock);
  ::archive_write_set_bytes_in_last_block(archive_.get(), 1);
  if (::archive_write_open(archive_.get(), this, nullptr, drain, nullptr) != ARCHIVE_OK)
    return std::unexpected(error());
  opened_ = true;
  return {};
}

ssize_t TarOutput::drain(archive* a, void* self_pointer, const void* data, size_t size) {
  auto* self = static_cast<TarOutput*>(self_pointer);
  auto written = self->out_.write(std::span(static_cast<const std::byte*>(data), size));
  if (written) return static_cast<ssize_t>(size);
  ::archive_set_error(a, written.error().code, "%s", written.error().what.c_str());
  self->output_error_ = std::move(written).error();
  return -1;
}

Result<void> TarOutput::header(std::string_view path, unsigned type, uint64_t size) {
  if (!opened_) STRATA_CHECK(open());
  const std::unique_ptr<archive_entry, FreeEntry> entry(::archive_entry_new());
  if (!entry) return fail(ENOMEM, "set up libarchive");
  constexpr mode_t kFileMode = 0644;
  constexpr mode_t kDirMode = 0755;
  ::archive_entry_set_pathname(entry.get(), std::string(path).c_str());
  ::archive_entry_set_filetype(entry.get(), type);
  ::archive_entry_set_perm(entry.get(), type == S_IFDIR ? kDirMode : kFileMode);
  ::archive_entry_set_size(entry.get(), static_cast<la_int64_t>(size));
  ::archive_entry_set_mtime(entry.get(), 0, 0);
  if (::archive_write_header(archive_.get(), entry.get()) != ARCHIVE_OK)
    return std::unexpected(error());
  return {};
}

Result<void> TarOutput::data(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const la_ssize_t n = ::archive_write_data(archive_.get(), bytes.data(), bytes.size());
    if (n < 0) return std::unexpected(error());
    if (n == 0) return fail(EIO, "more content than the tar entry announced");
    bytes = bytes.subspan(static_cast<size_t>(n));
  }
  return {};
}

Result<void> TarOutput::add_directory(std::string_view path) {
  return header(path, S_IFDIR, 0);
}

Result<void> TarOutput::add_text(std::string_view path, std::string_view text) {
  STRATA_CHECK(header(path, S_IFREG, text.size()));
  return data(std::as_bytes(std::span(text)));
}

Result<void> TarOutput::add_file(std::string_view path, uint64_t size, ByteSource& content) {
  STRATA_CHECK(header(path, S_IFREG, size));
  std::vector<std::byte> buffer(size_t{256} << 10);
  uint64_t written = 0;
  for (;;) {
    STRATA_TRY(const size_t n, content.read(buffer));
    if (n == 0) break;
    STRATA_CHECK(data(std::span(buffer).first(n)));
    written += n;
  }
  if (written != size) return fail(EIO, std::string(path) + ": less content than announced");
  return {};
}

Result<void> TarOutput::finish() {
  if (!opened_) STRATA_CHECK(open());
  if (::archive_write_close(archive_.get()) != ARCHIVE_OK) return std::unexpected(error());
  return {};
}

Error TarOutput::error() const {
  if (output_error_) return *output_error_;
  const char* text = ::archive_error_string(archive_.get());
  return {EIO, std::string("write tar: ") + (text != nullptr ? text : "unknown")};
}

}  // namespace strata::image
