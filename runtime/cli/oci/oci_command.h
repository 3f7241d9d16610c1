// How a command of strata-oci is made: one file a command, `cmd_<verb>.cc`, arguments and printing
// only. The command line is runc's: names, exit statuses, and an error on standard error or in the
// log that an engine reads.
//
// For the .cc files of runtime/cli/oci only.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <CLI/CLI.hpp>

#include "runtime/bundle/bundle.h"
#include "runtime/bundle/log.h"
#include "runtime/bundle/rootless.h"
#include "runtime/oci/spec.h"
#include "unionfs/base/result.h"

namespace strata::cli {

// What stands before the command.
struct OciGlobals {
  std::filesystem::path root;  // --root, or /run/strata-oci
  bool systemd_cgroup = false;
  bundle::Rootless rootless = bundle::Rootless::kAuto;
  bundle::Log log;
};

using OciAction = std::function<Result<int>(OciGlobals&)>;

inline constexpr int kOciFailure = 1;
inline constexpr int kOciExecFailure = 255;  // of exec: the program's own status can be 1

struct OciCommand {
  std::string_view verb;
  std::string_view summary;
  // Adds options to `app` and returns the action. Options live in a std::shared_ptr that the action
  // captures.
  OciAction (*add)(CLI::App& app);
  // If given, called before anything else, with main()'s arguments.
  Result<void> (*first)(char* const* argv) = nullptr;
  int failure_status = kOciFailure;
};

OciAction add_oci_checkpoint(CLI::App& app);
OciAction add_oci_create(CLI::App& app);
OciAction add_oci_delete(CLI::App& app);
OciAction add_oci_events(CLI::App& app);
OciAction add_oci_exec(CLI::App& app);
OciAction add_oci_features(CLI::App& app);
OciAction add_oci_kill(CLI::App& app);
OciAction add_oci_list(CLI::App& app);
OciAction add_oci_pause(CLI::App& app);
OciAction add_oci_ps(CLI::App& app);
OciAction add_oci_resume(CLI::App& app);
OciAction add_oci_run(CLI::App& app);
OciAction add_oci_spec(CLI::App& app);
OciAction add_oci_start(CLI::App& app);
OciAction add_oci_state(CLI::App& app);
OciAction add_oci_update(CLI::App& app);

// The operand that nearly every command has.
void add_container_id(CLI::App& app, std::string& id);

// The options that create and run have in common.
struct BundleOptions {
  std::string id;
  std::string bundle = ".";
  std::string console_socket, pid_file;
  unsigned preserved_fds = 0;
  bool no_pivot = false;
};
void add_bundle_options(CLI::App& app, BundleOptions& options);
[[nodiscard]] Result<void> check_bundle_options(const OciGlobals& globals,
                                                const BundleOptions& options);

// The bundle. What its config.json has that nobody knows is a warning where somebody reads the log.
[[nodiscard]] Result<bundle::Bundle> load_bundle_of(const BundleOptions& options, bundle::Log& log);

// Keeps our own program out of the reach of whoever may meet the container's process on its way.
// REQUIRES: nothing but reading was done yet. It may begin this program anew.
[[nodiscard]] Result<void> guard_against(const oci::Spec& spec);

// Writes to standard output; lost output is found at the end of the program.
void print(std::string_view text);

}  // namespace strata::cli
