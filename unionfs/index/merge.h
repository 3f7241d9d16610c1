// What an entry of a layer continues in the layers below: the rules of fs/overlayfs/namei.c
// (ovl_lookup_layer, ovl_check_redirect), the same for building an index and for the upper layer.
//
// Thread rule: functions are independent.
#pragma once

#include "unionfs/base/result.h"
#include "unionfs/index/index.h"
#include "unionfs/layer_entry.h"

namespace strata::unionfs::index {

// Both take: `parent`, the directory of the layers below that the entry's own directory continues
// (nullptr: none), and `same_name`, what stands there under the entry's name (nullptr: nothing).

// For a directory: the one that it is merged with; nullptr: it stands alone.
[[nodiscard]] const Record* lower_directory(const Index& below, const LayerEntry& entry,
                                            const Record* parent, const Record* same_name);

// For a metacopy: the file that has the content, or another metacopy of it. ESTALE if there is
// none.
[[nodiscard]] Result<const Record*> lower_file(const Index& below, const LayerEntry& entry,
                                               const Record* parent, const Record* same_name);

}  // namespace strata::unionfs::index
