#include "unionfs/index/merge.h"

#include <sys/stat.h>

namespace strata::unionfs::index {
namespace {

// The entry's redirect followed: a path from the root, or another name in the same directory.
const Record* origin_of(const Index& below, const LayerEntry& entry, const Record* parent,
                        const Record* same_name) {
  if (!entry.redirect) return same_name;
  if (entry.redirect->starts_with('/')) return below.lookup(*entry.redirect);
  return parent == nullptr ? nullptr : below.child(*parent, *entry.redirect);
}

}  // namespace

const Record* lower_directory(const Index& below, const LayerEntry& entry, const Record* parent,
                              const Record* same_name) {
  if (entry.is_opaque) return nullptr;
  const Record* lower = origin_of(below, entry, parent, same_name);
  return lower != nullptr && S_ISDIR(lower->mode) ? lower : nullptr;
}

Result<const Record*> lower_file(const Index& below, const LayerEntry& entry, const Record* parent,
                                 const Record* same_name) {
  const Record* file = origin_of(below, entry, parent, same_name);
  if (file != nullptr && S_ISREG(file->mode)) return file;
  return fail(ESTALE,
              entry.name + ": its content should be in a layer below, but there is no such file");
}

}  // namespace strata::unionfs::index
