// The container's root file system: how the union of its layers is shown to it.
//
// Thread rule: functions are independent.
#pragma once

#include <optional>

#include "runtime/container/container.h"
#include "unionfs/base/result.h"
#include "unionfs/base/unique_fd.h"
#include "unionfs/presenter.h"

namespace strata::container {

struct RootMount {
  UniqueFd mount;        // detached
  UniqueFd close_later;  // a descriptor that the kernel takes its time to close
};

// The container's layers with its upper layer, as its record says. What `flat` makes of layers is
// made once and kept in the store.
[[nodiscard]] Result<RootMount> mount_root(const Container& container);

// The presenter for so many layers where nobody asked for one: what suits the depth, as far as this
// kernel can do it. That is tried once a kernel, and noted in the store.
[[nodiscard]] unionfs::PresenterChoice default_presenter(const image::Store& store, size_t layers);

}  // namespace strata::container
