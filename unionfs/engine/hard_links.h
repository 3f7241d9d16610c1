// The hard links of the lower layers: which names in their merged tree share a file.
//
// Thread rule: immutable, may be shared.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "unionfs/index/index.h"

namespace strata::unionfs::engine {

// Whether two records are names of one file.
[[nodiscard]] inline bool is_same_file(const index::Record& a, const index::Record& b) {
  return a.layer == b.layer && a.inode == b.inode;
}

class LinkGroups {
 public:
  [[nodiscard]] static LinkGroups of(const index::Index& index);

  // Paths in the merged tree; empty for a file with one name.
  [[nodiscard]] const std::vector<std::string>& names_of(const index::Record& record) const;

 private:
  using File = std::pair<uint32_t, uint64_t>;  // layer, inode
  std::map<File, std::vector<std::string>> groups_;
};

}  // namespace strata::unionfs::engine
