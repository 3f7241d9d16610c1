#include "runtime/bundle/bundle.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/linux/mount_plan.h"
#include "unionfs/base/file.h"

namespace strata::bundle {
namespace {

constexpr const char* kConfig = "config.json";
constexpr size_t kLargestConfig = size_t{16} << 20;

}  // namespace

Result<Bundle> parse_bundle(std::filesystem::path directory, std::string config,
                            UnknownMembers unknown) {
  Bundle bundle{.directory = std::move(directory), .config = std::move(config)};
  auto* const listed = unknown == UnknownMembers::kList ? &bundle.unknown : nullptr;
  STRATA_TRY(bundle.spec, oci::from_json(bundle.config, kConfig, listed));
  if (bundle.spec.root.path.empty()) return fail(EINVAL, "config.json: root.path: not given");
  bundle.rootfs = (bundle.directory / bundle.spec.root.path).lexically_normal();
  bundle.owner = ::geteuid();
  return bundle;
}

Result<Bundle> load_bundle(const std::filesystem::path& directory, UnknownMembers unknown) {
  std::error_code ec;
  auto absolute = std::filesystem::canonical(directory, ec);
  if (ec) return fail_errno("bundle " + directory.string(), ec.value());
  STRATA_TRY(auto text, read_file_if_exists(absolute / kConfig, kLargestConfig));
  if (!text)
    return fail(ENOENT, "JSON specification file config.json not found in " + absolute.string());
  return parse_bundle(std::move(absolute), *std::move(text), unknown);
}

Result<UniqueFd> open_rootfs(const Bundle& bundle) {
  const auto& path = bundle.rootfs;
  struct stat st {};
  if (::stat(path.c_str(), &st) < 0) return fail_errno("rootfs " + path.string());
  if (!S_ISDIR(st.st_mode)) return fail_errno("rootfs " + path.string(), ENOTDIR);
  UniqueFd mount(
      ::open_tree(AT_FDCWD, path.c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE));
  // A copy of a shared mount is its peer: what happens inside is not to be seen on the host.
  if (!mount || linux::set_mount_attributes(mount.get(), 0, 0, MS_PRIVATE, true) < 0)
    return fail_errno("mount rootfs " + path.string());
  return mount;
}

}  // namespace strata::bundle
