#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <string_view>

#include "unionfs/base/file.h"
#include "unionfs/base/undo.h"
#include "unionfs/flat.h"
#include "unionfs/flat_mount.h"
#include "unionfs/index/cache.h"

namespace strata::unionfs {
namespace {

Result<FlatBacking> try_flat(const std::filesystem::path& directory) {
  constexpr std::string_view kContent = "content";
  STRATA_CHECK(make_dirs(directory / "layer"));
  STRATA_CHECK(write_file_atomic(directory / "layer/file", kContent, Durability::kAtomic));
  STRATA_TRY(const LayerStack stack, LayerStack::open({directory / "layer"}));
  STRATA_TRY(const index::OpenedIndex opened, index::open_index(stack, std::nullopt));
  STRATA_TRY(const FlatImage image, prepare_flat(stack, opened.index, directory / "cache"));
  STRATA_TRY(const MountedImage mounted, mount_image(image));
  STRATA_TRY(const UniqueFd mount, mount_flat(image, std::nullopt));
  const UniqueFd file(::openat(mount.get(), "file", O_RDONLY | O_CLOEXEC));
  if (!file) return fail_errno("open a file of a flat mount");
  std::array<char, kContent.size()> read{};
  const ssize_t size = ::read(file.get(), read.data(), read.size());
  if (size < 0) return fail_errno("read a file of a flat mount");
  if (std::string_view(read.data(), static_cast<size_t>(size)) != kContent)
    return fail(EIO, "a file of a flat mount has not the content that it should have");
  return mounted.backing;
}

}  // namespace

Result<FlatBacking> flat_support(const std::filesystem::path& scratch) {
  STRATA_TRY(const std::filesystem::path directory, make_temp_dir(scratch, "flat-"));
  Undo undo;
  undo.add([&] { [[maybe_unused]] const auto removed = remove_tree(directory); });
  return try_flat(directory);
}

}  // namespace strata::unionfs
