// From what libarchive says about an entry to Attributes.
//
// Thread rule: pure functions over an entry that nobody else uses.
#pragma once

#include "unionfs/base/result.h"
#include "unionfs/files/attributes.h"

struct archive_entry;  // libarchive's

namespace strata::unionfs::tar {

// Owners by number, never by name: the names are the image's, not this machine's. Attributes of
// overlayfs's own are left out: they would change what the layer means. EINVAL for owners that
// can't be and for ACLs that name users without a number.
[[nodiscard]] Result<Attributes> read_attributes(archive_entry* entry);

}  // namespace strata::unionfs::tar
