#include "runtime/container/spec.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "unionfs/base/file.h"

namespace strata::container {
namespace {

oci::Mount bind(const std::string& source, const std::string& destination, bool read_only) {
  return {destination, "bind", source, {"rbind", "rprivate", read_only ? "ro" : "rw"}};
}

void add_limits(const oci::Resources& limits, oci::Resources& resources) {
  resources.memory_limit = limits.memory_limit;
  resources.memory_swap = limits.memory_swap;
  resources.cpu_quota = limits.cpu_quota;
  resources.cpu_period = limits.cpu_period;
  resources.pids_limit = limits.pids_limit;
}

// The container's users read these.
constexpr mode_t kPublic = 0644;
constexpr mode_t kPrivate = 0600;

// A new file or a new content, of no interest after a crash.
Result<void> write_plain(const std::filesystem::path& path, std::string_view content, mode_t mode) {
  STRATA_TRY(const UniqueFd fd, open_file(path, O_WRONLY | O_CREAT | O_TRUNC, mode));
  const ssize_t n = ::write(fd.get(), content.data(), content.size());
  if (n != static_cast<ssize_t>(content.size()))
    return fail_errno("write " + path.string(), n < 0 ? errno : ENOSPC);
  return {};
}

Result<std::string> host_file(const char* path) {
  STRATA_TRY(auto content, read_file_if_exists(path));
  return std::move(content).value_or("");
}

std::string loopback_hosts(const std::string& hostname) {
  return "127.0.0.1\tlocalhost\n"
         "127.0.1.1\t" +
         hostname +
         "\n"
         "::1\tlocalhost ip6-localhost ip6-loopback\n"
         "fe00::\tip6-localnet\n"
         "ff00::\tip6-mcastprefix\n"
         "ff02::1\tip6-allnodes\n"
         "ff02::2\tip6-allrouters\n";
}

}  // namespace

std::vector<std::string> with_home(std::vector<std::string> env, const std::string& home) {
  const bool has_home = std::any_of(env.begin(), env.end(), [](const std::string& variable) {
    return variable.starts_with("HOME=");
  });
  if (!has_home) env.push_back("HOME=" + home);
  return env;
}

oci::Spec make_spec(const Record& record, const ResolvedUser& user, const Files& files) {
  oci::Spec spec = oci::default_spec();
  spec.root.path = "rootfs";  // as in any bundle; launch() gets the root as a mount
  spec.root.readonly = record.read_only;
  spec.hostname = record.hostname;
  spec.process.terminal = record.terminal;
  spec.process.args = record.args;
  spec.process.env = with_home(record.env, user.home);
  spec.process.cwd = record.cwd;
  spec.process.user = user.ids;
  spec.linux.cgroups_path = cgroup_path(record.id);
  add_limits(record.limits, spec.linux.resources);
  if (record.network == Network::kHost)
    std::erase_if(spec.linux.namespaces, [](const auto& ns) { return ns.type == "network"; });

  // Without a network there is nobody to ask for names, and the image's file does no harm.
  if (record.network == Network::kHost)
    spec.mounts.push_back(bind(files.resolv_conf(), "/etc/resolv.conf", false));
  spec.mounts.push_back(bind(files.hostname(), "/etc/hostname", false));
  spec.mounts.push_back(bind(files.hosts(), "/etc/hosts", false));
  // Last, so that a user's volume wins; parents before what is mounted inside them.
  auto volumes = record.volumes;
  std::stable_sort(volumes.begin(), volumes.end(), [](const Volume& a, const Volume& b) {
    return a.destination.size() < b.destination.size();
  });
  for (const auto& volume : volumes)
    spec.mounts.push_back(bind(volume.source, volume.destination, volume.read_only));
  return spec;
}

Result<void> write_config(const oci::Spec& spec, const Files& files) {
  return write_plain(files.config(), oci::to_json(spec), kPrivate);
}

Result<void> write_network_files(const Record& record, const Files& files) {
  STRATA_CHECK(write_plain(files.hostname(), record.hostname + "\n", kPublic));
  if (record.network == Network::kNone)
    return write_plain(files.hosts(), loopback_hosts(record.hostname), kPublic);
  STRATA_TRY(const std::string hosts, host_file("/etc/hosts"));
  STRATA_TRY(const std::string resolv_conf, host_file("/etc/resolv.conf"));
  STRATA_CHECK(write_plain(files.hosts(), hosts, kPublic));
  return write_plain(files.resolv_conf(), resolv_conf, kPublic);
}

}  // namespace strata::container
