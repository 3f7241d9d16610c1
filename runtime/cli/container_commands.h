// The commands of strata, one cmd_<verb>.cc each, and what they share.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "runtime/cli/command.h"
#include "runtime/container/create.h"
#include "runtime/container/start.h"

namespace strata::cli {

Action add_create(CLI::App& app);
Action add_exec(CLI::App& app);
Action add_inspect(CLI::App& app);
Action add_kill(CLI::App& app);
Action add_logs(CLI::App& app);
Action add_ps(CLI::App& app);
Action add_rm(CLI::App& app);
Action add_run(CLI::App& app);
Action add_start(CLI::App& app);
Action add_stop(CLI::App& app);
Action add_wait(CLI::App& app);

// The options that run and create have in common, as they are given.
struct ContainerOptions {
  container::CreateOptions create;
  std::string image;
  std::string network = "none";
  std::string memory, cpus;
  int64_t pids_limit = 0;
  std::vector<std::string> volumes, env_files;
};

void add_container_options(CLI::App& app, ContainerOptions& options);

// -e and --env-file values with what our own environment has for those without a value.
[[nodiscard]] Result<std::vector<std::string>> resolve_env(const std::vector<std::string>& env,
                                                           const std::vector<std::string>& files);

// For commands whose options end at the first operand, since a command line follows it that may
// have options of its own. `operands` is shown in --help.
void expect_operands(CLI::App& app, std::string operands);

struct Operands {
  std::string first;
  std::vector<std::string> command;
};
// What stands behind the options. EINVAL if there is nothing: "give <what>".
// REQUIRES: expect_operands(), and the app has parsed.
[[nodiscard]] Result<Operands> take_operands(const CLI::App& app, std::string_view what);

// Checks and completes the options after parsing.
[[nodiscard]] Result<void> finish_container_options(const CLI::App& app, ContainerOptions& options);

// Does `work` for each name and reports every error; the exit status is `failure` if there was one.
[[nodiscard]] int for_each_container(
    const Globals& globals, const std::vector<std::string>& names, int failure,
    const std::function<Result<void>(const container::Container&)>& work);

// EINVAL if the container's terminal is to be fed from what is none.
[[nodiscard]] Result<void> check_terminal(bool terminal, bool input);

// Starts the container, stays with it until it ends, returns its exit status.
[[nodiscard]] Result<int> start_attached(const container::Container& container,
                                         container::ContainerLock lock, bool input);

// Starts it and leaves it to itself. The status is 0 if it runs.
[[nodiscard]] Result<int> start_detached(const container::Container& container,
                                         container::ContainerLock lock);

}  // namespace strata::cli
