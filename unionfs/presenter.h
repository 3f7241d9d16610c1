// How a union is shown to its users: all presenters take the same stack and give the same tree.
//
// Thread rule: functions are independent.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "unionfs/base/result.h"
#include "unionfs/base/unique_fd.h"
#include "unionfs/flat.h"
#include "unionfs/layer_stack.h"
#include "unionfs/overlay.h"

namespace strata::unionfs {

enum class PresenterKind {
  kOverlay,  // overlay.h: the kernel's overlayfs, a layer for a layer
  kFlat,     // flat.h: one EROFS image with the metadata
  kCopy,     // copy.h: plain files
};

[[nodiscard]] std::string_view presenter_name(PresenterKind kind);  // "overlay", "flat", "copy"
[[nodiscard]] std::optional<PresenterKind> parse_presenter(std::string_view name);

struct PresentOptions {
  // What is made once for a stack is kept here, below "index", "flat" and "copy". Created if
  // missing. `overlay` needs none.
  std::filesystem::path cache;
  OverlayOptions overlay;
  UniqueFd* close_later = nullptr;  // as mount_flat() has it
};

// A detached mount (see mount_overlay()) of the stack. Without `upper` it is read-only.
//
// `copy` with an upper puts the copy there, where writes then go: what is in the upper is the whole
// tree and no layer. An upper that holds something is taken for such a copy.
[[nodiscard]] Result<UniqueFd> present(PresenterKind kind, const LayerStack& stack,
                                       const std::optional<Upper>& upper,
                                       const PresentOptions& options);

struct PresenterChoice {
  PresenterKind kind = PresenterKind::kOverlay;
  std::string reason;  // a sentence
};

// The presenter for a stack of so many layers, `flat` being what flat_support() said.
[[nodiscard]] PresenterChoice choose_presenter(size_t layers, const Result<FlatBacking>& flat);

}  // namespace strata::unionfs
