// Where kernels come from: Debian's archive, through apt-get, which checks signatures.

#include <algorithm>

#include "runtime/image/workspace.h"
#include "runtime/vm/kernel.h"
#include "unionfs/base/file.h"
#include "unionfs/base/subprocess.h"

namespace strata::vm {
namespace {

constexpr std::string_view kMetaPackage = "linux-image-cloud-amd64";
constexpr std::string_view kPackagePrefix = "linux-image-";
constexpr std::string_view kOtherwise = "; else give your own with --kernel FILE and --modules DIR";

// "linux-image-6.1.0-56-cloud-amd64 (= 6.1.192-2)" in the line "Depends: …" of apt-cache show.
struct Package {
  std::string name;
  std::string version;
};

std::optional<Package> parse_depends(std::string_view record) {
  constexpr std::string_view kField = "\nDepends: ";
  const size_t field = record.find(kField);
  if (field == std::string_view::npos) return std::nullopt;
  std::string_view line = record.substr(field + kField.size());
  line = line.substr(0, line.find('\n'));
  const size_t start = line.find(kPackagePrefix);
  if (start == std::string_view::npos) return std::nullopt;
  line = line.substr(start);
  const std::string_view name = line.substr(0, line.find_first_of(" ,|"));
  line = line.substr(0, line.find_first_of(",|"));
  Package package{std::string(name), {}};
  const size_t version = line.find("(= ");
  const size_t end = line.find(')');
  if (version != std::string_view::npos && end != std::string_view::npos)
    package.version = line.substr(version + 3, end - version - 3);
  return package;
}

Result<Package> resolve_package() {
  if (!find_program("apt-get") || !find_program("apt-cache"))
    return fail(ENOENT,
                "the guest's kernel is fetched with apt-get, which is not here (Debian, Ubuntu)" +
                    std::string(kOtherwise));
  STRATA_TRY(
      const auto shown,
      run_command({.argv = {"apt-cache", "show", "--no-all-versions", std::string(kMetaPackage)},
                   .env = {"LC_ALL=C"}}));
  if (const auto package = parse_depends(shown.out)) return *package;
  return fail(ENOENT, "apt knows no package " + std::string(kMetaPackage) +
                          ": run 'apt-get update'" + std::string(kOtherwise));
}

}  // namespace

Result<Kernel> fetch_kernel(const image::Store& store, const Report& report) {
  STRATA_TRY(const Package package, resolve_package());
  const std::string label = package.name + " " + package.version;
  STRATA_TRY(const auto kernels, list_kernels(store));
  for (const auto& kernel : kernels)
    if (kernel.package == label) return kernel;

  report("fetching " + label);
  STRATA_TRY(image::Workspace work, image::Workspace::create(store));
  const auto dir = work.fresh_path();
  STRATA_CHECK(make_dirs(dir));
  // The sandbox user of apt can't write here, and needs not: nothing is unpacked by apt.
  const auto fetched = run_checked(
      {.argv = {"apt-get", "-q", "-o", "APT::Sandbox::User=root", "download", package.name},
       .env = {"LC_ALL=C"},
       .directory = dir,
       .timeout = std::chrono::minutes(10)});
  if (!fetched)
    return fail(fetched.error().code, "fetch " + package.name + ": " + fetched.error().what +
                                          " (is 'apt-get update' due?)");
  STRATA_TRY(const auto files, image::list_dir(dir));
  const auto deb = std::find_if(files.begin(), files.end(),
                                [](const auto& file) { return file.extension() == ".deb"; });
  if (deb == files.end()) return fail(ENOENT, "apt-get download left no package " + package.name);
  report("unpacking " + label);
  return unpack_kernel(store, *deb, label);
}

}  // namespace strata::vm
