#include "runtime/container/root.h"

#include <sys/utsname.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "unionfs/base/file.h"
#include "unionfs/flat.h"
#include "unionfs/layer_stack.h"

namespace strata::container {
namespace {

using unionfs::FlatBacking;
using unionfs::PresenterKind;

// Which kernel the verdict on `flat` is of.
std::string this_kernel() {
  utsname kernel{};
  ::uname(&kernel);
  return std::string(kernel.release) + " " + kernel.version;
}

// A note in the store, two lines: the kernel, and why `flat` can't be done, empty if it can.
Result<FlatBacking> flat_support(const image::Store& store) {
  const auto note = store.union_dir() / "flat-support";
  const std::string kernel = this_kernel() + "\n";
  if (const auto text = read_file_if_exists(note); text && *text && (*text)->starts_with(kernel)) {
    std::string reason = (*text)->substr(kernel.size());
    if (reason.ends_with('\n')) reason.pop_back();
    if (reason.empty()) return FlatBacking::kFile;
    return fail(ENOTSUP, std::move(reason));
  }
  STRATA_CHECK(make_dirs(store.union_dir(), 0700));
  auto support = unionfs::flat_support(store.union_dir());
  // Without the note it is tried again.
  (void)write_file_atomic(note, kernel + (support ? "" : support.error().what) + "\n",
                          Durability::kAtomic);
  return support;
}

std::vector<std::filesystem::path> layer_trees(const Container& container) {
  std::vector<std::filesystem::path> top_first;
  for (const auto& layer : container.record().layers)
    top_first.push_back(container.store().layer_path(layer));
  return top_first;
}

}  // namespace

unionfs::PresenterChoice default_presenter(const image::Store& store, size_t layers) {
  // Asked first as if `flat` could be done, so that nobody tries it for few layers.
  auto choice = unionfs::choose_presenter(layers, FlatBacking::kFile);
  if (choice.kind != PresenterKind::kFlat) return choice;
  return unionfs::choose_presenter(layers, flat_support(store));
}

Result<RootMount> mount_root(const Container& container) {
  const auto& files = container.files();
  const unionfs::Upper upper{files.upper(), files.work()};
  // What will be thrown away needs no sync. (A volatile upper can't be mounted a second time.)
  const unionfs::OverlayOptions overlay{.is_volatile = container.record().auto_remove};
  const auto cache = container.store().union_dir();
  auto trees = layer_trees(container);
  RootMount root;
  // An image that is there already is found by the layers' paths alone, however many they are.
  if (container.record().presenter == PresenterKind::kFlat) {
    if (const auto image = unionfs::find_flat(trees, cache / "flat")) {
      STRATA_TRY(root.mount, unionfs::mount_flat(*image, upper, overlay, &root.close_later));
      return root;
    }
  }
  STRATA_TRY(const auto stack, unionfs::LayerStack::open(std::move(trees)));
  STRATA_TRY(
      root.mount,
      unionfs::present(container.record().presenter, stack, upper,
                       {.cache = cache, .overlay = overlay, .close_later = &root.close_later}));
  return root;
}

}  // namespace strata::container
