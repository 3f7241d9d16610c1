// What a file is besides its name: attributes and where its content lies. Plain values.
#pragma once

#include <sys/types.h>
#include <time.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace strata::unionfs {

struct Xattr {
  std::string name;
  std::string value;
};

// A range of a sparse file that holds data.
struct Extent {
  uint64_t offset = 0;
  uint64_t length = 0;
};

struct Attributes {
  uid_t uid = 0;
  gid_t gid = 0;
  mode_t mode = 0;  // permission bits with setuid, setgid and sticky; no file type
  timespec mtime{};
  std::optional<timespec> atime;  // nullopt: as it comes
  std::vector<Xattr> xattrs;
};

}  // namespace strata::unionfs
