// The targets of the suite `density`: many containers of one runtime. Each trial is one run of
// programs/density.cc, which reports its own metrics.

#include <optional>
#include <string>

#include "bench/cgroups.h"
#include "bench/targets/common.h"
#include "bench/targets/oci_bundle.h"
#include "bench/targets/targets.h"
#include "unionfs/base/file.h"

namespace strata::bench {
namespace {

using Argv = std::vector<std::string>;

const Argv kWaiting{"/bin/sleep", "infinity"};

class Density : public TargetDriver {
 public:
  Density(const OwnPrograms& programs, const std::string& runtime, std::string program,
          const std::string& description)
      : TargetDriver(
            {.name = runtime, .kind = "container", .description = description, .is_slow = true}),
        measurer_(programs.density),
        program_(std::move(program)) {}

  std::optional<std::string> unavailable() const override {
    if (program_.empty()) return info().name + " was not found";
    return measurer_.empty() ? std::optional<std::string>("strata-bench-density was not found")
                             : std::nullopt;
  }

  Result<void> setup(const Workload& workload) override {
    version_ = version_of(program_);
    prefix_ = workload.id + "-" + info().name;
    containers_ = workload.containers;
    launch_.env = tool_environment();
    launch_.reports_metrics = true;
    launch_.timeout = std::chrono::minutes(15);
    launch_.argv = {measurer_, std::to_string(containers_), std::to_string(kRuns)};
    STRATA_CHECK(arrange(workload, launch_));
    for (const Argv& words : {start(workload), run(workload), remove()}) {
      launch_.argv.emplace_back("--");
      launch_.argv.insert(launch_.argv.end(), words.begin(), words.end());
    }
    return {};
  }

  Launch launch() const override { return launch_; }

 protected:
  static constexpr size_t kRuns = 640;  // by each number of loops

  // {} stands for the container's number (programs/density.cc).
  [[nodiscard]] virtual Argv start(const Workload& workload) const = 0;
  [[nodiscard]] virtual Argv run(const Workload& workload) const = 0;
  [[nodiscard]] virtual Argv remove() const = 0;
  [[nodiscard]] virtual Result<void> arrange(const Workload& workload, Launch& launch) = 0;

  [[nodiscard]] const std::string& program() const { return program_; }
  [[nodiscard]] const std::string& prefix() const { return prefix_; }
  [[nodiscard]] size_t containers() const { return containers_; }
  [[nodiscard]] std::string waiting_one() const { return prefix_ + "-c{}"; }
  [[nodiscard]] std::string short_one() const { return prefix_ + "-r{}"; }

 private:
  std::string measurer_;
  std::string program_;
  std::string prefix_;
  size_t containers_ = 0;
  Launch launch_;
};

class OciDensity final : public Density {
 public:
  OciDensity(const OwnPrograms& programs, const std::string& runtime, std::string program)
      : Density(programs, runtime, std::move(program),
                runtime +
                    " run --detach and run, of bundles as in the suite startup; all containers "
                    "have one root file system.") {}

  Result<void> cleanup() override {
    return prefix().empty() ? Result<void>() : remove_cgroups(prefix());
  }

 protected:
  Argv start(const Workload& /*workload*/) const override {
    return {program(), "run", "--detach", "--bundle", dir_ / "waiting" / "{}", waiting_one()};
  }
  Argv run(const Workload& /*workload*/) const override {
    return {program(), "run", "--bundle", dir_ / "short" / "{}", short_one()};
  }
  Argv remove() const override { return {program(), "delete", "--force", waiting_one()}; }

  Result<void> arrange(const Workload& workload, Launch& launch) override {
    dir_ = workload.scratch / info().name;
    STRATA_CHECK(make_dirs(dir_));
    STRATA_TRY(view_, runtime_view(workload, dir_, true));
    launch.mount_namespace = view_->file();
    // Short ones bear numbers from 0 on, and such as no waiting one has.
    constexpr size_t kShort = 64;
    for (size_t i = 0; i < containers() + kShort; ++i) {
      if (i < containers()) STRATA_CHECK(write_bundle(workload, "waiting", kWaiting, i));
      STRATA_CHECK(write_bundle(workload, "short", workload.full_command(), i));
    }
    return {};
  }

 private:
  Result<void> write_bundle(const Workload& workload, const std::string& kind, const Argv& command,
                            size_t number) const {
    const auto bundle = dir_ / kind / std::to_string(number);
    STRATA_CHECK(make_dirs(bundle));
    return write_file_atomic(
        bundle / "config.json",
        bundle_config({.args = command,
                       .env = workload.image.env,
                       .cwd = workload.image.working_dir,
                       .rootfs = dir_ / "rootfs",
                       .cgroups_path = "/" + prefix() + "/" + kind + std::to_string(number)}),
        Durability::kAtomic);
  }

  std::filesystem::path dir_;
  std::optional<MountView> view_;
};

class StrataDensity final : public Density {
 public:
  explicit StrataDensity(const OwnPrograms& programs)
      : Density(programs, "strata", programs.strata,
                "strata run -d and run --rm: each with its own union, log and monitor.") {}

  // What a trial that was cut off left in the store.
  Result<void> conclude(const std::string& error) override {
    if (error.empty()) return {};
    Argv remove_all{program(), "--root", root_, "rm", "-f"};
    for (size_t i = 0; i < containers(); ++i)
      remove_all.push_back(prefix() + "-c" + std::to_string(i));
    // Whatever it says: some of them were never made.
    [[maybe_unused]] const auto removed =
        run_command({.argv = remove_all, .timeout = std::chrono::minutes(5)});
    return {};
  }

 protected:
  Argv start(const Workload& workload) const override {
    return with_command(workload, {"run", "-d", "--name", waiting_one()}, kWaiting);
  }
  Argv run(const Workload& workload) const override {
    return with_command(workload, {"run", "--rm", "--name", short_one()}, workload.command);
  }
  Argv remove() const override { return {program(), "--root", root_, "rm", "-f", waiting_one()}; }

  Result<void> arrange(const Workload& workload, Launch& /*launch*/) override {
    if (workload.image.name.empty())
      return fail(ENOTSUP, "strata is started from an image, and a plain directory was given");
    root_ = workload.root;
    return {};
  }

 private:
  [[nodiscard]] Argv with_command(const Workload& workload, const Argv& verb,
                                  const Argv& command) const {
    Argv argv{program(), "--root", root_};
    argv.insert(argv.end(), verb.begin(), verb.end());
    argv.push_back(workload.image.name);
    argv.insert(argv.end(), command.begin(), command.end());
    return argv;
  }

  std::filesystem::path root_;
};

}  // namespace

Targets make_density_targets(const OwnPrograms& programs) {
  Targets targets;
  targets.push_back(std::make_unique<StrataDensity>(programs));
  for (const char* runtime : {kOwnOciRuntime, "crun", "runc", "youki"})
    targets.push_back(
        std::make_unique<OciDensity>(programs, runtime, oci_program(programs, runtime)));
  return targets;
}

}  // namespace strata::bench
