#include "runtime/image/archive_spool.h"

#include <archive_entry.h>
#include <sys/stat.h>
#include <unistd.h>

#include <optional>
#include <vector>

#include "runtime/image/archive_input.h"
#include "runtime/image/codec.h"
#include "runtime/image/digest.h"
#include "runtime/image/pipeline.h"
#include "unionfs/base/file.h"
#include "unionfs/base/terminal.h"

namespace strata::image {
namespace {

constexpr size_t kCopyBuffer = size_t{256} << 10;

// `path` in the archive without "." components and with ".." resolved from `dir` on; nullopt if it
// is absolute or leaves the archive.
std::optional<std::string> resolve(std::string_view dir, std::string_view path) {
  if (path.empty() || path.front() == '/' || path.find('\0') != std::string_view::npos)
    return std::nullopt;
  std::vector<std::string_view> parts;
  for (std::string_view rest : {dir, path}) {
    while (!rest.empty()) {
      const size_t slash = rest.find('/');
      const auto part = rest.substr(0, slash);
      rest.remove_prefix(slash == std::string_view::npos ? rest.size() : slash + 1);
      if (part.empty() || part == ".") continue;
      if (part != "..") {
        parts.push_back(part);
      } else if (parts.empty()) {
        return std::nullopt;
      } else {
        parts.pop_back();
      }
    }
  }
  std::string joined;
  for (const auto part : parts) joined.append(joined.empty() ? "" : "/").append(part);
  return joined;
}

std::string_view parent(std::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
}

std::string_view or_empty(const char* text) {
  return text != nullptr ? text : std::string_view();
}

// Paths of members may not even mention "..": no writer of image archives has a reason to.
Result<std::string> member_path(archive_entry* entry) {
  const std::string_view raw = or_empty(::archive_entry_pathname(entry));
  const auto path = resolve("", raw);
  const bool climbs = std::string("/" + std::string(raw) + "/").find("/../") != std::string::npos;
  if (!path || climbs) return fail(EINVAL, "'" + std::string(raw) + "' is not a path inside it");
  return *path;
}

Result<std::string> link_target(archive_entry* entry, const std::string& path) {
  const std::string_view hard = or_empty(::archive_entry_hardlink(entry));
  const std::string_view symbolic = or_empty(::archive_entry_symlink(entry));
  const auto target = hard.empty() ? resolve(parent(path), symbolic) : resolve("", hard);
  if (!target || target->empty())
    return fail(EINVAL, path + ": its link target '" + std::string(hard.empty() ? symbolic : hard) +
                            "' lies outside");
  return *target;
}

// Spools the members of one archive.
class Spooler {
 public:
  Spooler(Staging& staging, LimitedSource& tar)
      : staging_(staging), tar_(tar), input_(tar, ArchiveInput::Kind::kTar) {}

  [[nodiscard]] Result<archive_entry*> next() { return input_.next(); }

  // Copies the current entry's content into a file of the workspace.
  [[nodiscard]] Result<StagedFile> spool(const std::string& path) {
    STRATA_TRY(StagedWriter writer, StagedWriter::create(staging_.fresh_path()));
    for (;;) {
      STRATA_TRY(const size_t n, input_.read(buffer_));
      if (n == 0) return writer.finish();
      total_ += n;
      // The limits bound what is read of the tar: nothing may make more out of it. Image archives
      // have no use for sparse files.
      if (total_ > tar_.bytes())
        return fail(EINVAL, path + ": it is sparse and claims more than the archive holds");
      STRATA_CHECK(writer.sink().write(std::span(buffer_).first(n)));
    }
  }

 private:
  Staging& staging_;
  const LimitedSource& tar_;
  ArchiveInput input_;
  uint64_t total_ = 0;
  std::vector<std::byte> buffer_ = std::vector<std::byte>(kCopyBuffer);
};

}  // namespace

Result<ArchiveSpool> ArchiveSpool::read(Staging& staging, ByteSource& archive, const Limits& limits,
                                        const Report& report) {
  WatchedSource watched(archive, "reading the archive", report);
  STRATA_TRY(const auto plain, decompress(watched, Accept::kAny));
  LimitedSource tar(*plain, watched,
                    {limits.max_archive_bytes, limits.max_ratio, limits.ratio_from});
  Spooler spooler(staging, tar);
  ArchiveSpool spool;
  for (uint64_t count = 0;; ++count) {
    STRATA_TRY(archive_entry* const entry, spooler.next());
    if (entry == nullptr) return spool;
    if (count == limits.max_members)
      return fail(EFBIG, "more than " + std::to_string(limits.max_members) + " files");
    STRATA_TRY(const std::string path, member_path(entry));
    const bool is_link = ::archive_entry_hardlink(entry) != nullptr;
    const mode_t type = ::archive_entry_filetype(entry);
    if (!is_link && S_ISDIR(type)) continue;
    Member member;
    if (is_link || S_ISLNK(type)) {
      STRATA_TRY(member.link, link_target(entry, path));
    } else if (S_ISREG(type)) {
      STRATA_TRY(member.file, spooler.spool(path));
    } else {
      return fail(EINVAL, path + ": neither a file nor a link");
    }
    STRATA_CHECK(spool.add(path, member));
  }
}

// Some writers repeat a file that several images share; two answers to one question are a trick.
Result<void> ArchiveSpool::add(const std::string& path, const Member& member) {
  const auto [at, is_new] = members_.try_emplace(path, member);
  if (is_new) return {};
  if (at->second.link != member.link || at->second.file.digest != member.file.digest)
    return fail(EINVAL, path + ": it stands in the archive twice, with different content");
  if (member.link.empty()) ::unlink(member.file.path.c_str());
  return {};
}

Result<const StagedFile*> ArchiveSpool::find(std::string_view path) const {
  constexpr int kMaxHops = 8;
  std::string at(path);
  for (int hop = 0; hop < kMaxHops; ++hop) {
    const auto it = members_.find(at);
    if (it == members_.end()) return nullptr;
    if (it->second.link.empty()) return &it->second.file;
    at = it->second.link;
  }
  return fail(EINVAL, std::string(path) + ": its links lead in circles");
}

Result<const StagedFile*> ArchiveSpool::get(std::string_view path) const {
  STRATA_TRY(const StagedFile* file, find(path));
  if (file == nullptr) return fail(EINVAL, std::string(path) + " is missing from the archive");
  return file;
}

Result<std::string> ArchiveSpool::text(std::string_view path, size_t limit) const {
  STRATA_TRY(const StagedFile* file, get(path));
  if (file->size > limit)
    return fail(EFBIG, std::string(path) + ": larger than " + human_size(limit));
  return read_file(file->path, limit);
}

Result<const StagedFile*> ArchiveSpool::blob(const Descriptor& descriptor) const {
  const std::string path = "blobs/sha256/" + std::string(digest_hex(descriptor.digest));
  STRATA_TRY(const StagedFile* file, get(path));
  if (file->digest != descriptor.digest)
    return fail(EBADMSG, path + ": its content has the digest " + file->digest);
  if (file->size != descriptor.size)
    return fail(EBADMSG, path + ": " + std::to_string(file->size) + " bytes, " +
                             std::to_string(descriptor.size) + " were announced");
  return file;
}

Result<std::string> ArchiveSpool::blob_text(const Descriptor& descriptor, size_t limit) const {
  STRATA_TRY(const StagedFile* file, blob(descriptor));
  if (file->size > limit)
    return fail(EFBIG, "blob " + descriptor.digest + ": larger than " + human_size(limit));
  return read_file(file->path, limit);
}

}  // namespace strata::image
