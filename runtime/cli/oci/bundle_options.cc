#include <unistd.h>

#include <algorithm>

#include "runtime/cli/oci/oci_command.h"
#include "runtime/linux/own_program.h"

namespace strata::cli {

void add_container_id(CLI::App& app, std::string& id) {
  app.add_option("container-id", id, "the container's name")->required();
}

void add_bundle_options(CLI::App& app, BundleOptions& options) {
  add_container_id(app, options.id);
  app.add_option("-b,--bundle", options.bundle, "directory of the bundle (the current one)");
  app.add_option("--console-socket", options.console_socket,
                 "Unix socket that gets the terminal's master");
  app.add_option("--pid-file", options.pid_file, "file that gets the process ID");
  app.add_option("--preserve-fds", options.preserved_fds,
                 "pass so many more descriptors than the standard streams");
  app.add_flag("--no-pivot", options.no_pivot, "(refused: a container could leave its root)");
  // Every container has a session keyring of its own; engines may say so or not.
  app.add_flag("--no-new-keyring")->description("accepted for compatibility");
}

Result<void> check_bundle_options(const OciGlobals& globals, const BundleOptions& options) {
  if (options.no_pivot)
    return fail(ENOTSUP,
                "--no-pivot is not supported: without pivot_root a container can leave its "
                "root file system");
  if (!globals.systemd_cgroup) return {};
  if (::access("/run/systemd/system", F_OK) < 0)  // sd_booted(3)
    return fail(ENOTSUP, "systemd not running on this host, cannot use systemd cgroups manager");
  return fail(ENOTSUP,
              "--systemd-cgroup is not supported: cgroups are made by cgroupfs here, and engines "
              "have a setting for it");
}

Result<bundle::Bundle> load_bundle_of(const BundleOptions& options, bundle::Log& log) {
  using bundle::UnknownMembers;
  STRATA_TRY(auto bundle,
             bundle::load_bundle(options.bundle, log.is_read() ? UnknownMembers::kList
                                                               : UnknownMembers::kPassOver));
  for (const auto& member : bundle.unknown)
    log.warning("config.json: " + member + ": unknown member, which has no effect");
  return bundle;
}

// Processes of other containers may be there to see ours before it runs their program; and a
// startContainer hook enters a container that is there already.
Result<void> guard_against(const oci::Spec& spec) {
  const auto& namespaces = spec.linux.namespaces;
  const bool alone = std::any_of(namespaces.begin(), namespaces.end(), [](const auto& ns) {
    return ns.type == "pid" && ns.path.empty();
  });
  if (alone && spec.hooks.start_container.empty()) return {};
  return linux::run_from_read_only_mount(nullptr);
}

}  // namespace strata::cli
