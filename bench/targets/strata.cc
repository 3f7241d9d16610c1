// `strata`, `strata-flat` and `strata-detached`: our own runtime, as a person at a terminal would
// start it.

#include <sys/stat.h>

#include <optional>

#include "bench/targets/common.h"
#include "bench/targets/targets.h"
#include "unionfs/base/file.h"

namespace strata::bench {
namespace {

constexpr const char* kFifoInside = "/run/strata-bench-output";

TargetInfo describe(StrataMode mode) {
  if (mode == StrataMode::kFlat)
    return {.name = "strata-flat",
            .kind = "container",
            .description =
                "strata run --rm --union flat: as strata, with one image of all layers' metadata "
                "(made before) in place of the layers, however many they are."};
  if (mode == StrataMode::kForeground)
    return {.name = "strata",
            .kind = "container",
            .description =
                "strata run --rm: a new union of the image's layers with its own upper layer, all "
                "namespaces but user, a cgroup, default capabilities and seccomp filter, a log; "
                "all of it removed again."};
  return {.name = "strata-detached",
          .kind = "container",
          .description =
              "strata run -d --rm: the same in the background. Exit is when `strata run` returns; "
              "the container's end is in gone_ns. Since a detached container's output goes to its "
              "log, the command is started by a shell that redirects it into a FIFO, which is "
              "part of the time to the first byte."};
}

class Strata final : public TargetDriver {
 public:
  Strata(std::string program, StrataMode mode)
      : TargetDriver(describe(mode)), program_(std::move(program)), mode_(mode) {}

  std::optional<std::string> unavailable() const override {
    return program_.empty() ? std::optional<std::string>("strata was not found") : std::nullopt;
  }

  Result<void> setup(const Workload& workload) override {
    if (workload.image.name.empty())
      return fail(ENOTSUP, "strata is started from an image, and a plain directory was given");
    version_ = version_of(program_);
    root_ = workload.root;
    container_ = workload.id + "-" + info().name;
    launch_.argv = {program_, "--root", root_.string(), "run", "--rm", "--name", container_};
    launch_.env = tool_environment();
    launch_.expected_output = workload.output;
    launch_.argv.insert(launch_.argv.end(),
                        {"--union", mode_ == StrataMode::kFlat ? "flat" : "overlay"});
    if (mode_ == StrataMode::kDetached) STRATA_CHECK(detach(workload));
    launch_.argv.push_back(workload.image.name);
    const auto command = mode_ == StrataMode::kDetached ? redirected(workload) : workload.command;
    launch_.argv.insert(launch_.argv.end(), command.begin(), command.end());
    return {};
  }

  Launch launch() const override { return launch_; }

  Result<void> conclude(const std::string& error) override {
    if (!error.empty()) {
      // Whatever it says: after most failures there is nothing to remove.
      [[maybe_unused]] const auto removed =
          run_command({.argv = {program_, "--root", root_, "rm", "-f", container_},
                       .timeout = std::chrono::seconds(20)});
    }
    return {};
  }

 private:
  Result<void> detach(const Workload& workload) {
    const auto dir = workload.scratch / info().name;
    STRATA_CHECK(make_dirs(dir));
    launch_.output_fifo = dir / "output";
    if (::mkfifo(launch_.output_fifo.c_str(), 0600) < 0)
      return fail_errno("make FIFO " + launch_.output_fifo.string());
    launch_.argv.insert(
        launch_.argv.end(),
        {"-d", "-v", launch_.output_fifo.string() + ":" + kFifoInside, "--entrypoint", "/bin/sh"});
    return {};
  }

  // For `/bin/sh`: becomes the command with its output in the FIFO.
  static std::vector<std::string> redirected(const Workload& workload) {
    std::vector<std::string> command{"-c", std::string("exec \"$@\" >") + kFifoInside, "sh"};
    const auto full = workload.full_command();
    command.insert(command.end(), full.begin(), full.end());
    return command;
  }

  std::string program_;
  StrataMode mode_;
  std::string container_;
  std::filesystem::path root_;
  Launch launch_;
};

}  // namespace

std::unique_ptr<TargetDriver> make_strata(const OwnPrograms& programs, StrataMode mode) {
  return std::make_unique<Strata>(programs.strata, mode);
}

}  // namespace strata::bench
