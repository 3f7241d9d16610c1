// strata-oci spec [--rootless] [--bundle DIR]
// strata-oci spec --check [--bundle DIR]

#include <unistd.h>

#include <algorithm>

#include "runtime/bundle/bundle.h"
#include "runtime/bundle/container.h"
#include "runtime/cli/oci/oci_command.h"
#include "runtime/oci/spec.h"
#include "unionfs/base/file.h"

namespace strata::cli {
namespace {

struct Options {
  std::string bundle = ".";
  bool rootless = false, check = false;
};

// What a person wants to begin with: `runc spec` writes the like.
oci::Spec example() {
  oci::Spec spec = oci::default_spec();
  spec.version = bundle::kOciVersion;
  spec.root = {.path = "rootfs", .readonly = true};
  spec.hostname = "strata";
  auto& process = spec.process;
  process.terminal = true;
  process.args = {"sh"};
  process.env = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"};
  const std::vector<std::string> few{"CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"};
  process.capabilities = {.bounding = few, .effective = few, .permitted = few};
  constexpr uint64_t kFiles = 1024;
  process.rlimits = {{.type = "RLIMIT_NOFILE", .soft = kFiles, .hard = kFiles}};
  process.no_new_privileges = true;
  return spec;
}

// For a user without privileges: a user namespace with that user as its root, the host's network,
// no limits, and of the devices' groups none.
void make_rootless(oci::Spec& spec) {
  auto& linux = spec.linux;
  std::erase_if(linux.namespaces, [](const oci::Namespace& ns) { return ns.type == "network"; });
  linux.namespaces.push_back({"user", ""});
  linux.uid_mappings = {{.container_id = 0, .host_id = ::geteuid(), .size = 1}};
  linux.gid_mappings = {{.container_id = 0, .host_id = ::getegid(), .size = 1}};
  linux.resources = {};
  for (auto& mount : spec.mounts) {
    std::erase(mount.options, "gid=5");
    if (mount.type == "sysfs")  // needs a network namespace of its own
      mount = {"/sys", "none", "/sys", {"rbind", "nosuid", "noexec", "nodev", "ro"}};
  }
}

Result<int> write_spec(const Options& options) {
  const auto path = std::filesystem::path(options.bundle) / "config.json";
  if (::access(path.c_str(), F_OK) == 0)
    return fail(EEXIST, "File " + path.string() + " exists. Remove it first");
  oci::Spec spec = example();
  if (options.rootless) make_rootless(spec);
  STRATA_CHECK(write_file_atomic(path, oci::to_json(spec) + "\n", Durability::kAtomic));
  return 0;
}

// For people: a runtime has to pass over what it does not know, so that a mistyped member has no
// effect and no error.
Result<int> check_config(const Options& options, bundle::Log& log) {
  STRATA_TRY(const auto bundle, bundle::load_bundle(options.bundle, bundle::UnknownMembers::kList));
  for (const auto& member : bundle.unknown)
    log.fatal("config.json: " + member + ": unknown member");
  return bundle.unknown.empty() ? 0 : 1;
}

}  // namespace

OciAction add_oci_spec(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("-b,--bundle", options->bundle, "directory of the bundle (the current one)");
  app.add_flag("--rootless", options->rootless, "for a user without privileges");
  app.add_flag("--check", options->check,
               "writes nothing: says what is wrong or unknown in the config.json that is there")
      ->excludes("--rootless");
  return [options](OciGlobals& globals) {
    return options->check ? check_config(*options, globals.log) : write_spec(*options);
  };
}

}  // namespace strata::cli
