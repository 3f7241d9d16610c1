#include "bench/targets/oci_bundle.h"

#include <algorithm>
#include <array>

#include "unionfs/base/json.h"

namespace strata::bench {
namespace {

// Docker's default set (moby: oci/caps/defaults.go).
constexpr std::array kCapabilities{
    "CAP_CHOWN",      "CAP_DAC_OVERRIDE", "CAP_FSETID",           "CAP_FOWNER",     "CAP_MKNOD",
    "CAP_NET_RAW",    "CAP_SETGID",       "CAP_SETUID",           "CAP_SETFCAP",    "CAP_SETPCAP",
    "CAP_SYS_CHROOT", "CAP_KILL",         "CAP_NET_BIND_SERVICE", "CAP_AUDIT_WRITE"};

void add_namespace(Json& namespaces, const char* type) {
  const bool there = std::any_of(namespaces.begin(), namespaces.end(),
                                 [&](const Json& ns) { return ns.value("type", "") == type; });
  if (!there) namespaces.push_back({{"type", type}});
}

}  // namespace

Result<std::string> adapt_bundle(std::string_view spec_template, const BundleOptions& options) {
  STRATA_TRY(Json spec, parse_json(spec_template, "config.json template"));
  try {
    Json& process = spec.at("process");
    process["terminal"] = false;
    process["args"] = options.args;
    process["env"] = options.env;
    process["cwd"] = options.cwd;
    process["noNewPrivileges"] = false;
    process["capabilities"] = {
        {"bounding", kCapabilities}, {"effective", kCapabilities}, {"permitted", kCapabilities}};
    spec.at("root") = {{"path", options.rootfs.string()}, {"readonly", false}};
    Json& linux_part = spec.at("linux");
    linux_part["cgroupsPath"] = options.cgroups_path;
    add_namespace(linux_part.at("namespaces"), "cgroup");
  } catch (const Json::exception& e) {
    return fail(EINVAL, std::string("config.json template: ") + e.what());
  }
  return spec.dump(2) + "\n";
}

}  // namespace strata::bench
