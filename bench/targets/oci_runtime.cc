// `strata-oci`, `crun`, `runc` and `youki`: OCI runtimes running one and the same bundle.

#include <optional>

#include "bench/cgroups.h"
#include "bench/targets/common.h"
#include "bench/targets/oci_bundle.h"
#include "bench/targets/targets.h"
#include "unionfs/base/file.h"

namespace strata::bench {
namespace {

class OciRuntime final : public TargetDriver {
 public:
  OciRuntime(std::string launcher, const std::string& runtime, std::string program)
      : TargetDriver({.name = runtime,
                      .kind = "container",
                      .description =
                          runtime +
                          " run of a bundle, the same for every OCI runtime: all namespaces but "
                          "user, docker's default capabilities and a cgroup of its own; the union "
                          "of the image's layers is already mounted. No seccomp filter, no log, no "
                          "new upper layer for each start."}),
        launcher_(std::move(launcher)),
        program_(std::move(program)) {}

  std::optional<std::string> unavailable() const override {
    if (!program_.empty()) return std::nullopt;
    return info().name + (info().name == kOwnOciRuntime ? " was not found" : " is not installed");
  }

  Result<void> setup(const Workload& workload) override {
    version_ = version_of(program_);
    container_ = workload.id + "-" + info().name;
    cgroup_ = container_;
    const auto dir = workload.scratch / info().name;
    STRATA_CHECK(make_dirs(dir / "bundle"));
    STRATA_TRY(view_, runtime_view(workload, dir, true));
    STRATA_CHECK(write_bundle(workload, dir));
    launch_.argv = {program_, "run", "--bundle", dir / "bundle", container_};
    launch_.env = tool_environment();
    launch_.mount_namespace = view_->file();
    launch_.expected_output = workload.output;
    return {};
  }

  Launch launch() const override { return launch_; }

  Result<void> conclude(const std::string& error) override {
    if (!error.empty()) {
      // Whatever it says: after most failures there is nothing to delete.
      [[maybe_unused]] const auto deleted =
          run_in_view(launcher_, *view_,
                      {.argv = {program_, "delete", "--force", container_},
                       .timeout = std::chrono::seconds(20)});
    }
    return {};
  }

  Result<void> cleanup() override {
    return cgroup_.empty() ? Result<void>() : remove_cgroups(cgroup_);
  }

 private:
  Result<void> write_bundle(const Workload& workload, const std::filesystem::path& dir) {
    return write_file_atomic(dir / "bundle" / "config.json",
                             bundle_config({.args = workload.full_command(),
                                            .env = workload.image.env,
                                            .cwd = workload.image.working_dir,
                                            .rootfs = dir / "rootfs",
                                            .cgroups_path = "/" + cgroup_ + "/container"}),
                             Durability::kAtomic);
  }

  std::string launcher_;
  std::string program_;
  std::string container_;
  std::string cgroup_;
  std::optional<MountView> view_;
  Launch launch_;
};

}  // namespace

std::string oci_program(const OwnPrograms& programs, const std::string& runtime) {
  return runtime == kOwnOciRuntime ? programs.oci : find_program(runtime).value_or("");
}

std::unique_ptr<TargetDriver> make_oci_runtime(const OwnPrograms& programs,
                                               const std::string& runtime) {
  return std::make_unique<OciRuntime>(programs.launcher, runtime, oci_program(programs, runtime));
}

}  // namespace strata::bench
