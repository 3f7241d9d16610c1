// unpack_layer(): the entries of a tar, one after the other, into a LayerWriter.
#include <archive.h>
#include <archive_entry.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string>
#include <utility>

#include "unionfs/layer_tar.h"
#include "unionfs/tar/archive_reader.h"
#include "unionfs/tar/entry_name.h"
#include "unionfs/tar/layer_writer.h"
#include "unionfs/tar/read_attributes.h"

namespace strata::unionfs {
namespace {

using tar::EntryName;
using tar::NameKind;

class Unpacker {
 public:
  Unpacker(tar::ArchiveReader& reader, tar::LayerWriter& writer, const UnpackOptions& options)
      : reader_(reader), writer_(writer), options_(options) {}

  Result<LayerStats> run() {
    for (;;) {
      auto entry = reader_.next();
      if (!entry && stats_.entries == 0) return std::unexpected(std::move(entry).error());
      if (!entry) return fail_in("after entry " + tar::in_quotes(last_), std::move(entry).error());
      if (*entry == nullptr) break;
      const char* name = ::archive_entry_pathname(*entry);
      last_ = name != nullptr ? name : "";
      if (auto added = add(*entry); !added)
        return fail_in("entry " + tar::in_quotes(last_), std::move(added).error());
    }
    STRATA_CHECK(reader_.drain());
    STRATA_CHECK(writer_.finish());
    return stats_;
  }

 private:
  Result<void> add(archive_entry* entry) {
    if (++stats_.entries > options_.max_entries)
      return fail(EFBIG,
                  "the tar has more than " + std::to_string(options_.max_entries) + " entries");
    STRATA_TRY(const EntryName name, tar::parse_entry_name(last_));
    if (name.kind == NameKind::kPlain) return add_plain(entry, name.path);
    ++stats_.whiteouts;
    if (is_directory(entry)) return fail(EINVAL, "it is a whiteout, but a directory");
    if (name.kind == NameKind::kOpaque) return writer_.add_opaque(name.path);
    return writer_.add_whiteout(name.path);
  }

  // Old tars mark directories by a slash at the end of the name alone.
  bool is_directory(archive_entry* entry) const {
    const auto type = ::archive_entry_filetype(entry);
    return type == AE_IFDIR || (type == AE_IFREG && last_.ends_with('/'));
  }

  Result<void> add_plain(archive_entry* entry, const std::string& path) {
    // A hard link's attributes are those of its target, and content is the target's, too.
    if (const char* target = ::archive_entry_hardlink(entry)) return add_hard_link(path, target);
    STRATA_TRY(Attributes attributes, tar::read_attributes(entry));
    if (is_directory(entry)) return writer_.add_directory(path, std::move(attributes));
    switch (::archive_entry_filetype(entry)) {
      case AE_IFREG:
        return add_file(entry, path, attributes);
      case AE_IFLNK: {
        const char* target = ::archive_entry_symlink(entry);
        return writer_.add_symlink(path, target != nullptr ? target : "", attributes);
      }
      case AE_IFCHR:
      case AE_IFBLK:
        return writer_.add_special(path, ::archive_entry_filetype(entry),
                                   ::archive_entry_rdev(entry), attributes);
      case AE_IFIFO:
        return writer_.add_special(path, S_IFIFO, 0, attributes);
      default:
        return fail(EINVAL, "it is of a type that a layer can't hold");
    }
  }

  Result<void> add_hard_link(const std::string& path, const char* target) {
    auto name = tar::parse_entry_name(target);
    if (!name) return fail_in("hard link to " + tar::in_quotes(target), std::move(name).error());
    if (name->kind != NameKind::kPlain) return fail(EINVAL, "it is a hard link to a whiteout");
    return writer_.add_hard_link(path, name->path);
  }

  Result<void> add_file(archive_entry* entry, const std::string& path,
                        const Attributes& attributes) {
    const int64_t size = ::archive_entry_size(entry);
    if (size < 0) return fail(EINVAL, "its size is negative");
    if (static_cast<uint64_t>(size) > options_.max_bytes - stats_.bytes)
      return fail(EFBIG, "its " + std::to_string(size) +
                             " bytes bring the layer over the limit of " +
                             std::to_string(options_.max_bytes) + " bytes");
    stats_.bytes += static_cast<uint64_t>(size);
    STRATA_TRY(UniqueFd file, writer_.create_file(path));
    STRATA_CHECK(write_content(file.get(), static_cast<uint64_t>(size)));
    return tar::LayerWriter::finish_file(std::move(file), attributes);
  }

  // What lies between the blocks and behind the last stays a hole.
  Result<void> write_content(int file, uint64_t size) {
    uint64_t end = 0;
    for (;;) {
      STRATA_TRY(const auto block, reader_.next_block());
      if (!block) break;
      if (block->offset > size || block->data.size() > size - block->offset)
        return fail(EINVAL, "its content goes beyond its size");
      STRATA_CHECK(write_at(file, block->data, block->offset));
      end = std::max(end, block->offset + block->data.size());
    }
    if (end < size && ::ftruncate(file, static_cast<off_t>(size)) < 0)
      return fail_errno("set the size");
    return {};
  }

  static Result<void> write_at(int file, std::span<const std::byte> data, uint64_t offset) {
    while (!data.empty()) {
      const ssize_t n = ::pwrite(file, data.data(), data.size(), static_cast<off_t>(offset));
      if (n < 0 && errno != EINTR) return fail_errno("write");
      if (n < 0) continue;
      data = data.subspan(static_cast<size_t>(n));
      offset += static_cast<uint64_t>(n);
    }
    return {};
  }

  tar::ArchiveReader& reader_;
  tar::LayerWriter& writer_;
  const UnpackOptions& options_;
  std::string last_;  // the entry's name as the tar has it
  LayerStats stats_;
};

}  // namespace

Result<LayerStats> unpack_layer(ByteSource& source, const std::filesystem::path& layer,
                                const UnpackOptions& options) {
  STRATA_TRY(tar::LayerWriter writer, tar::LayerWriter::open(layer));
  STRATA_TRY(const std::unique_ptr<tar::ArchiveReader> reader, tar::ArchiveReader::open(source));
  return Unpacker(*reader, writer, options).run();
}

}  // namespace strata::unionfs
