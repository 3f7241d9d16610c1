#include "unionfs/tar/archive_writer.h"

#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <utility>

namespace strata::unionfs::tar {
namespace {

constexpr int kBlockSize = 256 << 10;

// The one warning that is no fault: the name goes out as bytes (archive_locale.h).
bool is_about_charset(const char* text) {
  return text != nullptr && std::string_view(text).starts_with("Can't translate ") &&
         std::string_view(text).ends_with(" to UTF-8");
}

// Surrogates in UTF-8 clothes (ED A0 80 … ED BF BF) are no UTF-8, but libarchive takes pairs of
// them for one character and writes that.
bool holds_surrogates(std::string_view text) {
  for (size_t i = text.find('\xed'); i != std::string_view::npos; i = text.find('\xed', i + 1)) {
    if (i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) >= 0xa0) return true;
  }
  return false;
}

struct FreeEntry {
  void operator()(archive_entry* entry) const { ::archive_entry_free(entry); }
};

void describe(archive_entry* out, const PackEntry& entry) {
  ::archive_entry_copy_pathname(out, entry.name.c_str());
  ::archive_entry_set_filetype(out, entry.type);
  ::archive_entry_set_perm(out, entry.attributes.mode);
  ::archive_entry_set_uid(out, entry.attributes.uid);
  ::archive_entry_set_gid(out, entry.attributes.gid);
  ::archive_entry_set_mtime(out, entry.attributes.mtime.tv_sec, entry.attributes.mtime.tv_nsec);
  ::archive_entry_set_size(out, static_cast<la_int64_t>(entry.size));
  if (entry.is_hard_link)
    ::archive_entry_copy_hardlink(out, entry.link.c_str());
  else if (entry.type == S_IFLNK)
    ::archive_entry_copy_symlink(out, entry.link.c_str());
  else if (entry.type == S_IFCHR || entry.type == S_IFBLK)
    ::archive_entry_set_rdev(out, entry.device);
  for (const Extent& extent : entry.extents)
    ::archive_entry_sparse_add_entry(out, static_cast<la_int64_t>(extent.offset),
                                     static_cast<la_int64_t>(extent.length));
  // libarchive writes the list from its end.
  for (auto it = entry.attributes.xattrs.rbegin(); it != entry.attributes.xattrs.rend(); ++it)
    ::archive_entry_xattr_add_entry(out, it->name.c_str(), it->value.data(), it->value.size());
}

}  // namespace

bool can_be_sparse(std::string_view name) {
  constexpr size_t kNameField = 100, kPrefixField = 155;
  const bool is_ascii = std::ranges::all_of(name, [](char c) { return c >= 0; });
  if (name.size() < kNameField) return true;
  if (name.size() == kNameField || !is_ascii) return is_ascii;
  const size_t slash = name.find('/', name.size() - kNameField - 1);
  return slash != std::string_view::npos && slash > 0 && slash <= kPrefixField;
}

ArchiveWriter::ArchiveWriter(ByteSink& sink) : sink_(sink), handle_(::archive_write_new()) {}

// Freed without close(), libarchive would still write the end of the archive: on failure it must
// not get through.
ArchiveWriter::~ArchiveWriter() {
  if (!sink_error_) sink_error_ = Error{ECANCELED, "the archive was given up"};
  ::archive_write_free(handle_);
}

Result<std::unique_ptr<ArchiveWriter>> ArchiveWriter::open(ByteSink& sink) {
  std::unique_ptr<ArchiveWriter> writer(new ArchiveWriter(sink));
  archive* handle = writer->handle_;
  if (handle == nullptr) return fail_errno("start writing a tar", ENOMEM);
  if (::archive_write_set_format_pax(handle) != ARCHIVE_OK ||
      ::archive_write_set_format_option(handle, "pax", "xattrheader", "SCHILY") != ARCHIVE_OK ||
      ::archive_write_set_bytes_per_block(handle, kBlockSize) != ARCHIVE_OK ||
      ::archive_write_set_bytes_in_last_block(handle, 1) != ARCHIVE_OK ||
      ::archive_write_open(handle, writer.get(), nullptr, on_write, nullptr) != ARCHIVE_OK)
    return writer->failure();
  return writer;
}

la_ssize_t ArchiveWriter::on_write(archive* handle, void* self, const void* buffer, size_t size) {
  auto& writer = *static_cast<ArchiveWriter*>(self);
  if (!writer.sink_error_) {
    auto written = writer.sink_.write({static_cast<const std::byte*>(buffer), size});
    if (written) return static_cast<la_ssize_t>(size);
    writer.sink_error_ = std::move(written).error();
  }
  ::archive_set_error(handle, EIO, "the sink failed");
  return -1;
}

std::unexpected<Error> ArchiveWriter::failure() {
  if (sink_error_) return std::unexpected(*sink_error_);
  const char* text = ::archive_error_string(handle_);
  const int code = ::archive_errno(handle_) == ENOMEM ? ENOMEM : EINVAL;
  return fail(code, std::string("write the tar: ") + (text != nullptr ? text : "unknown"));
}

Result<void> ArchiveWriter::write_header(const PackEntry& entry) {
  if (holds_surrogates(entry.name) || holds_surrogates(entry.link))
    return fail(EINVAL, "a tar can't hold its name: UTF-16 surrogates in UTF-8");
  const std::unique_ptr<archive_entry, FreeEntry> out(::archive_entry_new2(handle_));
  if (!out) return fail_errno("make an entry", ENOMEM);
  describe(out.get(), entry);
  const int status = ::archive_write_header(handle_, out.get());
  if (status == ARCHIVE_OK) return {};
  if (status == ARCHIVE_WARN && is_about_charset(::archive_error_string(handle_))) return {};
  return failure();
}

Result<void> ArchiveWriter::write_data(std::span<const std::byte> data) {
  while (!data.empty()) {
    const la_ssize_t n = ::archive_write_data(handle_, data.data(), data.size());
    if (n <= 0) return failure();
    data = data.subspan(static_cast<size_t>(n));
  }
  return {};
}

Result<void> ArchiveWriter::close() {
  if (::archive_write_close(handle_) != ARCHIVE_OK) return failure();
  return {};
}

}  // namespace strata::unionfs::tar
