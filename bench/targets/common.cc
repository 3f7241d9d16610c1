#include "bench/targets/common.h"

#include <cstdlib>
#include <utility>

namespace strata::bench {

std::optional<std::string> lacks_program(const std::string& name) {
  if (find_program(name)) return std::nullopt;
  return name + " is not installed";
}

std::string version_of(const std::string& program) {
  const auto done =
      run_command({.argv = {program, "--version"}, .timeout = std::chrono::seconds(10)});
  if (!done || done->status != 0) return {};
  return done->out.substr(0, done->out.find('\n'));
}

std::vector<std::string> tool_environment() {
  const char* path = std::getenv("PATH");
  return {std::string("PATH=") + (path != nullptr ? path : "/usr/sbin:/usr/bin:/sbin:/bin"),
          "HOME=/root"};
}

Result<MountView> rootfs_view(const Workload& workload, const std::filesystem::path& dir) {
  return MountView::create([&] { return mount_rootfs(workload.image.layers, dir); });
}

Result<MountView> runtime_view(const Workload& workload, const std::filesystem::path& dir,
                               bool with_rootfs) {
  return MountView::create([&]() -> Result<void> {
    // The layers may lie below what is covered; their union, once mounted, doesn't mind.
    if (with_rootfs) STRATA_CHECK(mount_rootfs(workload.image.layers, dir));
    STRATA_CHECK(cover({"/run", "/var/lib", "/dev/shm"}, workload.scratch));
    return hide_unified_cgroups();
  });
}

Result<Completed> run_in_view(const std::string& launcher, const MountView& view, Command command) {
  std::vector<std::string> argv{launcher, "--mount-namespace", view.file().string(), "--"};
  argv.insert(argv.end(), command.argv.begin(), command.argv.end());
  command.argv = std::move(argv);
  return run_checked(command);
}

}  // namespace strata::bench
