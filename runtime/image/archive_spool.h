// An image archive (a tar of files that refer to each other in any order) laid out in the
// workspace, so that it can come from a pipe. Nothing of it is written under a name of its own
// choosing: members become numbered files, their paths are only looked up.
//
// Hostile archives: absolute paths and `..` are refused (EINVAL), as are links that leave the
// archive or run in circles, anything but files, directories and links, one path with two
// contents, sparse files that claim more than the archive holds, and more members or bytes than the
// limits allow (EFBIG).
//
// Private to runtime/image. Thread rule: one owner.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "runtime/image/ingest.h"
#include "runtime/image/staging.h"
#include "unionfs/base/result.h"

namespace strata::image {

class ArchiveSpool {
 public:
  // Reads the archive, decompressing it first if it is compressed.
  [[nodiscard]] static Result<ArchiveSpool> read(Staging& staging, ByteSource& archive,
                                                 const Limits& limits, const Report& report);

  // The file at `path`, through links; nullptr if there is none. EINVAL for a bad link.
  [[nodiscard]] Result<const StagedFile*> find(std::string_view path) const;

  // The same with absence as EINVAL.
  [[nodiscard]] Result<const StagedFile*> get(std::string_view path) const;

  // The content of a small file. EFBIG beyond `limit`.
  [[nodiscard]] Result<std::string> text(std::string_view path, size_t limit) const;

  // The blob that a descriptor names, by an OCI layout's path. EINVAL if it is missing, EBADMSG if
  // its digest or size is not the descriptor's.
  [[nodiscard]] Result<const StagedFile*> blob(const Descriptor& descriptor) const;
  [[nodiscard]] Result<std::string> blob_text(const Descriptor& descriptor, size_t limit) const;

 private:
  struct Member {
    StagedFile file;   // of a file
    std::string link;  // of a link: the path in the archive that it leads to
  };
  [[nodiscard]] Result<void> add(const std::string& path, const Member& member);

  std::map<std::string, Member, std::less<>> members_;  // by path
};

}  // namespace strata::image
