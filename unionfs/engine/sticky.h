// What open(2) with O_CREAT refuses to everyone, root included: files of others in directories with
// the sticky bit (proc_sys_fs(5), protected_regular; fs/namei.c: may_create_in_sticky).
//
// Thread rule: functions are independent.
#pragma once

#include "unionfs/base/result.h"
#include "unionfs/engine/tree.h"

namespace strata::unionfs::engine {

// EACCES if the file at `place`, which is there, may not be opened with O_CREAT.
[[nodiscard]] Result<void> check_sticky(const Place& place);

}  // namespace strata::unionfs::engine
