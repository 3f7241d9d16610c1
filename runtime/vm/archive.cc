#include "runtime/vm/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <sys/stat.h>

#include <array>
#include <memory>

#include "unionfs/base/file.h"

namespace strata::vm {
namespace {

constexpr size_t kBlock = 256 << 10;
// Nothing that a kernel package holds comes near this.
constexpr size_t kMaxFile = size_t{512} << 20;

struct FreeArchive {
  void operator()(archive* a) const { ::archive_read_free(a); }
};
using Archive = std::unique_ptr<archive, FreeArchive>;

std::unexpected<Error> archive_failure(archive* a, std::string_view name) {
  const char* text = ::archive_error_string(a);
  return fail(EBADMSG,
              "read " + std::string(name) + ": " + (text != nullptr ? text : "damaged archive"));
}

// The data of the current entry.
Result<std::string> read_data(archive* a, std::string_view name) {
  std::string content;
  for (;;) {
    const size_t used = content.size();
    content.resize(used + kBlock);
    const la_ssize_t n = ::archive_read_data(a, content.data() + used, kBlock);
    if (n < 0) return archive_failure(a, name);
    content.resize(used + static_cast<size_t>(n));
    if (n == 0) return content;
    if (content.size() > kMaxFile) return fail(EFBIG, std::string(name) + " is too large");
  }
}

// Lets one archive be read out of the current entry of another: data.tar.xz inside of a .deb.
struct Nested {
  archive* outer;
  std::array<char, kBlock> block;

  static la_ssize_t read(archive* inner, void* self, const void** data) {
    auto* nested = static_cast<Nested*>(self);
    const la_ssize_t n =
        ::archive_read_data(nested->outer, nested->block.data(), nested->block.size());
    if (n < 0) ::archive_set_error(inner, EBADMSG, "%s", ::archive_error_string(nested->outer));
    *data = nested->block.data();
    return n;
  }
};

Result<void> read_data_tar(archive* outer, std::string_view name,
                           const std::function<bool(const std::string& path)>& wanted,
                           const TakeFile& take) {
  const Archive tar(::archive_read_new());
  ::archive_read_support_filter_all(tar.get());
  ::archive_read_support_format_tar(tar.get());
  const auto nested = std::make_unique<Nested>();
  nested->outer = outer;
  if (::archive_read_open(tar.get(), nested.get(), nullptr, Nested::read, nullptr) != ARCHIVE_OK)
    return archive_failure(tar.get(), name);
  archive_entry* entry = nullptr;
  for (;;) {
    const int status = ::archive_read_next_header(tar.get(), &entry);
    if (status == ARCHIVE_EOF) return {};
    if (status != ARCHIVE_OK) return archive_failure(tar.get(), name);
    std::string path = ::archive_entry_pathname(entry);
    if (path.starts_with("./")) path.erase(0, 2);
    if (::archive_entry_filetype(entry) != S_IFREG || !wanted(path)) continue;
    STRATA_TRY(std::string content, read_data(tar.get(), path));
    STRATA_CHECK(take(path, std::move(content)));
  }
}

}  // namespace

Result<std::string> decompress(std::string_view bytes, std::string_view name) {
  const Archive a(::archive_read_new());
  ::archive_read_support_filter_all(a.get());
  ::archive_read_support_format_raw(a.get());
  archive_entry* entry = nullptr;
  if (::archive_read_open_memory(a.get(), bytes.data(), bytes.size()) != ARCHIVE_OK ||
      ::archive_read_next_header(a.get(), &entry) != ARCHIVE_OK)
    return archive_failure(a.get(), name);
  if (::archive_filter_count(a.get()) < 2)  // the last one is "none"
    return fail(EBADMSG, std::string(name) + " has no compression that is known here");
  return read_data(a.get(), name);
}

Result<std::string> read_compressed(const std::filesystem::path& path) {
  STRATA_TRY(const std::string bytes, read_file(path));
  return decompress(bytes, path.string());
}

Result<void> read_deb(const std::filesystem::path& deb,
                      const std::function<bool(const std::string& path)>& wanted,
                      const TakeFile& take) {
  const Archive ar(::archive_read_new());
  ::archive_read_support_format_ar(ar.get());
  if (::archive_read_open_filename(ar.get(), deb.c_str(), kBlock) != ARCHIVE_OK)
    return archive_failure(ar.get(), deb.string());
  archive_entry* entry = nullptr;
  for (;;) {
    const int status = ::archive_read_next_header(ar.get(), &entry);
    if (status == ARCHIVE_EOF)
      return fail(EBADMSG, deb.string() + " is not a Debian package: it has no data.tar");
    if (status != ARCHIVE_OK) return archive_failure(ar.get(), deb.string());
    const std::string_view member = ::archive_entry_pathname(entry);
    if (member.starts_with("data.tar")) return read_data_tar(ar.get(), deb.string(), wanted, take);
  }
}

}  // namespace strata::vm
