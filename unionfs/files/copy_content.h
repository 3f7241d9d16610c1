// Copies what is in a file.
//
// Thread rule: functions are independent.
#pragma once

#include "unionfs/base/result.h"

namespace strata::unionfs {

// Makes the empty file `to` (open for writing) hold what `from` (open for reading) does: as a
// reflink where the file system can (FICLONE), else by copy_file_range(2), with holes kept.
[[nodiscard]] Result<void> copy_content(int from, int to);

}  // namespace strata::unionfs
