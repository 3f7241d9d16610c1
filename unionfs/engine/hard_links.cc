#include "unionfs/engine/hard_links.h"

#include <sys/stat.h>

namespace strata::unionfs::engine {

LinkGroups LinkGroups::of(const index::Index& index) {
  LinkGroups links;
  struct Open {
    const index::Record* directory;
    std::string path;  // with a slash behind it, but the root's
  };
  std::vector<Open> open;
  if (index.root() != nullptr) open.push_back({index.root(), ""});
  while (!open.empty()) {
    const Open next = std::move(open.back());
    open.pop_back();
    for (const index::Record* record : index.children(*next.directory)) {
      std::string path = next.path;
      path += index::name_of(*record);
      if (S_ISDIR(record->mode)) {
        open.push_back({record, path + "/"});
      } else if (record->links > 1) {
        links.groups_[{record->layer, record->inode}].push_back(std::move(path));
      }
    }
  }
  return links;
}

const std::vector<std::string>& LinkGroups::names_of(const index::Record& record) const {
  static const std::vector<std::string> kNone;
  const auto found = groups_.find({record.layer, record.inode});
  return found == groups_.end() ? kNone : found->second;
}

}  // namespace strata::unionfs::engine
