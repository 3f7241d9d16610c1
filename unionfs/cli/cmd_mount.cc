#include <sys/mount.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>

#include <fmt/format.h>

#include "unionfs/base/terminal.h"
#include "unionfs/cli/commands.h"
#include "unionfs/cli/stack_options.h"
#include "unionfs/presenter.h"

namespace strata::unionfs::cli {
namespace {

constexpr char kDefaultCache[] = "/var/cache/strata/union";

struct Options {
  StackOptions stack;
  std::string presenter = "overlay";
  std::filesystem::path cache = kDefaultCache;
  std::filesystem::path target;
};

Result<int> mount(const Options& options) {
  const auto kind = parse_presenter(options.presenter);
  if (!kind) return fail(EINVAL, "no presenter '" + options.presenter + "'");
  STRATA_TRY(const std::optional<Upper> upper, options.stack.upper_layer());
  if (upper && upper->work.empty()) return fail(EINVAL, "--upper needs --work");
  STRATA_TRY(const LayerStack stack, options.stack.open_stack());
  STRATA_TRY(const UniqueFd mounted, present(*kind, stack, upper, {.cache = options.cache}));
  STRATA_CHECK(attach_mount(mounted.get(), options.target));
  return 0;
}

Result<int> umount(const Options& options) {
  if (::umount2(options.target.c_str(), UMOUNT_NOFOLLOW) < 0) {
    const int code = errno;
    if (code == EINVAL)
      return fail(code, "unmount " + options.target.string() + ": nothing is mounted there");
    if (code == EBUSY)
      return fail(code, "unmount " + options.target.string() +
                            ": something still uses it (fuser -m shows what)");
    return fail_errno("unmount " + options.target.string(), code);
  }
  return 0;
}

}  // namespace

Action add_mount(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  options->stack.add_to(app);
  app.add_option(
         "--presenter", options->presenter,
         "overlay (the kernel's, default), flat (one EROFS image with the metadata) or copy")
      ->type_name("P")
      ->check(CLI::IsMember({"overlay", "flat", "copy"}));
  app.add_option("--cache", options->cache, "Where indexes, images and copies are kept")
      ->type_name("DIR")
      ->capture_default_str();
  app.add_option("dir", options->target, "Where to mount")->type_name("DIR")->required();
  return [options] { return mount(*options); };
}

Action add_umount(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  app.add_option("dir", options->target, "What to unmount")->type_name("DIR")->required();
  return [options] { return umount(*options); };
}

}  // namespace strata::unionfs::cli
