// `podman`: a complete container engine, with a store of its own that holds the same image.

#include <optional>
#include <string_view>

#include "bench/cgroups.h"
#include "bench/targets/common.h"
#include "bench/targets/targets.h"
#include "unionfs/base/file.h"

namespace strata::bench {
namespace {

// Podman's defaults where the machine allows, else what a plain machine without systemd needs.
// The limits stand below any machine's hard limits, so that podman needn't raise them.
constexpr std::string_view kConfiguration = R"([containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "none"
)";

// The name in "Loaded image: localhost/debian:tools" (podman-load(1)).
Result<std::string> loaded_image(const std::string& output) {
  const auto end = output.find_last_not_of(" \n");
  const auto space = output.find_last_of(" \n", end);
  if (end == std::string::npos || space == std::string::npos)
    return fail(EINVAL, "podman load printed '" + output + "'");
  return output.substr(space + 1, end - space);
}

class Podman final : public TargetDriver {
 public:
  explicit Podman(const OwnPrograms& programs)
      : TargetDriver({.name = "podman",
                      .kind = "container",
                      .description =
                          "podman run --rm --network none from a store of its own into which the "
                          "image was loaded; overlay storage, cgroupfs, its default runtime, "
                          "conmon, its default capabilities and seccomp filter."}),
        programs_(programs) {}

  std::optional<std::string> unavailable() const override {
    if (auto lack = lacks_program("podman")) return lack;
    return programs_.strata.empty() ? std::optional<std::string>("strata was not found")
                                    : std::nullopt;
  }

  Result<void> setup(const Workload& workload) override {
    if (workload.image.name.empty())
      return fail(ENOTSUP, "podman is started from an image, and a plain directory was given");
    program_ = find_program("podman").value_or("podman");
    version_ = version_of(program_);
    container_ = workload.id + "-podman";
    const auto dir = workload.scratch / "podman";
    store_ = dir / "store";
    STRATA_CHECK(make_dirs(dir));
    STRATA_CHECK(write_file_atomic(dir / "containers.conf", kConfiguration, Durability::kAtomic));
    STRATA_TRY(view_, runtime_view(workload, dir, false));
    launch_.env = tool_environment();
    launch_.env.push_back("CONTAINERS_CONF=" + (dir / "containers.conf").string());
    STRATA_TRY(const auto image, load_image(workload, dir / "image.tar"));

    launch_.argv = podman({"run", "--rm", "--name", container_, "--network", "none", "--pull",
                           "never", "--cgroup-parent", "/" + container_, image});
    launch_.argv.insert(launch_.argv.end(), workload.command.begin(), workload.command.end());
    launch_.mount_namespace = view_->file();
    launch_.expected_output = workload.output;
    return {};
  }

  Launch launch() const override { return launch_; }

  Result<void> conclude(const std::string& error) override {
    if (!error.empty()) {
      // Whatever it says: after most failures there is nothing to remove.
      [[maybe_unused]] const auto removed = run({"rm", "--force", "--time", "1", container_}, -1);
    }
    return {};
  }

  Result<void> cleanup() override {
    if (container_.empty()) return {};
    return remove_cgroups(container_);
  }

 private:
  std::vector<std::string> podman(std::vector<std::string> arguments) const {
    std::vector<std::string> argv{program_, "--root", store_.string(), "--storage-driver",
                                  "overlay"};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    return argv;
  }

  Result<Completed> run(std::vector<std::string> arguments, int stop_fd) const {
    return run_in_view(programs_.launcher, *view_,
                       {.argv = podman(std::move(arguments)),
                        .env = launch_.env,
                        .timeout = std::chrono::minutes(5),
                        .stop_fd = stop_fd});
  }

  Result<std::string> load_image(const Workload& workload, const std::filesystem::path& archive) {
    STRATA_CHECK(run_checked(
        {.argv = {programs_.strata, "--root", workload.root.string(), "save", "--format", "docker",
                  "--compression", "none", "-o", archive.string(), workload.image.name},
         .stop_fd = workload.stop_fd}));
    STRATA_TRY(const auto done,
               run({"load", "--quiet", "--input", archive.string()}, workload.stop_fd));
    std::error_code ec;
    std::filesystem::remove(archive, ec);
    return loaded_image(done.out);
  }

  OwnPrograms programs_;
  std::string program_;
  std::string container_;
  std::filesystem::path store_;
  std::optional<MountView> view_;
  Launch launch_;
};

}  // namespace

std::unique_ptr<TargetDriver> make_podman(const OwnPrograms& programs) {
  return std::make_unique<Podman>(programs);
}

}  // namespace strata::bench
