#include "unionfs/presenter.h"

#include <sys/mount.h>

#include <array>
#include <cstdio>
#include <system_error>
#include <utility>

#include "unionfs/base/file.h"
#include "unionfs/base/undo.h"
#include "unionfs/copy.h"
#include "unionfs/index/cache.h"
#include "unionfs/sys/mount_api.h"

namespace strata::unionfs {
namespace {

using std::filesystem::path;

constexpr std::array<std::pair<PresenterKind, std::string_view>, 3> kNames = {{
    {PresenterKind::kOverlay, "overlay"},
    {PresenterKind::kFlat, "flat"},
    {PresenterKind::kCopy, "copy"},
}};

constexpr size_t kMaxOverlayLayers = 500;  // fs/overlayfs/super.c: OVL_MAX_STACK

// Mounting an image takes a quarter of a millisecond more than mounting few layers. The hundred or
// so names that even a small program's start looks up cost more than that where each is searched in
// so many layers.
constexpr size_t kDeepStack = 8;

Result<index::Index> index_of(const LayerStack& stack, const PresentOptions& options) {
  STRATA_TRY(index::OpenedIndex opened, index::open_index(stack, options.cache / "index"));
  return std::move(opened.index);
}

Result<UniqueFd> present_flat(const LayerStack& stack, const std::optional<Upper>& upper,
                              const PresentOptions& options) {
  const path cache = options.cache / "flat";
  auto image = find_flat(stack, cache);
  if (!image) {
    STRATA_TRY(const index::Index index, index_of(stack, options));
    STRATA_TRY(image, prepare_flat(stack, index, cache));
  }
  return mount_flat(*image, upper, options.overlay, options.close_later);
}

// The copy appears at `target`, which is empty or not there, by rename: whole or not at all.
Result<void> copy_aside(const LayerStack& stack, const index::Index& index, const path& parent,
                        const path& target) {
  STRATA_CHECK(make_dirs(parent, 0700));
  STRATA_TRY(const path aside, make_temp_dir(parent, "copy-"));
  Undo undo;
  undo.add([&] { [[maybe_unused]] const auto removed = remove_tree(aside); });
  STRATA_CHECK(copy_tree(stack, index, aside));
  if (::rename(aside.c_str(), target.c_str()) < 0) {
    // Somebody else was faster with the same copy.
    if (errno == ENOTEMPTY || errno == EEXIST) return {};
    return fail_errno("rename the copy to " + target.string());
  }
  undo.release();
  return {};
}

Result<bool> holds_nothing(const path& directory) {
  std::error_code error;
  const bool empty = std::filesystem::is_empty(directory, error);
  if (error) return fail_errno("read directory " + directory.string(), error.value());
  return empty;
}

Result<UniqueFd> present_copy(const LayerStack& stack, const std::optional<Upper>& upper,
                              const PresentOptions& options) {
  if (upper) {
    STRATA_TRY(const bool is_new, holds_nothing(upper->upper));
    if (is_new) {
      STRATA_TRY(const index::Index index, index_of(stack, options));
      STRATA_CHECK(copy_aside(stack, index, upper->work, upper->upper));
    }
    return sys::clone_mount(upper->upper.c_str());
  }
  STRATA_TRY(const index::Index index, index_of(stack, options));
  std::array<char, 40> name{};
  std::snprintf(name.data(), name.size(), "%016llx%016llx",
                static_cast<unsigned long long>(index.identity().high),
                static_cast<unsigned long long>(index.identity().low));
  const path copy = options.cache / "copy" / name.data();
  if (!std::filesystem::exists(copy))
    STRATA_CHECK(copy_aside(stack, index, copy.parent_path(), copy));
  STRATA_TRY(const LayerStack copied, LayerStack::open({copy}));
  return sys::clone_mount(copied.fd(0), MOUNT_ATTR_RDONLY, copy.native());
}

std::string count(size_t layers) {
  return std::to_string(layers) + (layers == 1 ? " layer" : " layers");
}

}  // namespace

std::string_view presenter_name(PresenterKind kind) {
  for (const auto& [known, name] : kNames) {
    if (known == kind) return name;
  }
  return "";
}

std::optional<PresenterKind> parse_presenter(std::string_view name) {
  for (const auto& [kind, known] : kNames) {
    if (known == name) return kind;
  }
  return std::nullopt;
}

Result<UniqueFd> present(PresenterKind kind, const LayerStack& stack,
                         const std::optional<Upper>& upper, const PresentOptions& options) {
  switch (kind) {
    case PresenterKind::kOverlay:
      return mount_overlay(stack, upper, options.overlay);
    case PresenterKind::kFlat:
      return present_flat(stack, upper, options);
    case PresenterKind::kCopy:
      return present_copy(stack, upper, options);
  }
  return fail(EINVAL, "no such presenter");
}

PresenterChoice choose_presenter(size_t layers, const Result<FlatBacking>& flat) {
  if (layers < kDeepStack)
    return {PresenterKind::kOverlay,
            "overlay: with " + count(layers) + " overlayfs has little to search"};
  if (flat)
    return {PresenterKind::kFlat, "flat: overlayfs would search " + count(layers) +
                                      " one after the other, the image is one"};
  if (layers <= kMaxOverlayLayers)
    return {PresenterKind::kOverlay, "overlay: flat is not possible here: " + flat.error().what};
  return {PresenterKind::kCopy, "copy: overlayfs takes no more than " +
                                    std::to_string(kMaxOverlayLayers) + " of " + count(layers) +
                                    ", and flat is not possible here: " + flat.error().what};
}

}  // namespace strata::unionfs
