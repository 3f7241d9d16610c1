#include "runtime/linux/own_user_namespace.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <string>

#include "runtime/linux/helper_process.h"
#include "unionfs/base/file.h"
#include "unionfs/base/subprocess.h"

namespace strata::linux {
namespace {

Result<void> check_root(const std::vector<oci::IdMapping>& mappings, uint32_t own,
                        const std::string& member) {
  STRATA_CHECK(check_mappings(mappings, member));
  if (host_id(mappings, 0) == own) return {};
  return fail(EINVAL, member + ": a user without privileges can be ID 0 of a container only, and " +
                          std::to_string(own) + " is not mapped to it");
}

bool is_own_id_alone(const std::vector<oci::IdMapping>& mappings) {
  return mappings.size() == 1 && mappings.front().size == 1;
}

Result<void> map_by_program(const char* program, pid_t pid,
                            const std::vector<oci::IdMapping>& mappings) {
  std::vector<std::string> line{program, std::to_string(pid)};
  for (const auto& m : mappings)
    for (const uint32_t number : {m.container_id, m.host_id, m.size})
      line.push_back(std::to_string(number));
  const auto done = run_command({.argv = std::move(line)});
  if (!done && done.error().code == ENOENT)
    return fail(ENOENT, std::string(program) +
                            " is not installed: without it a user can be mapped to one ID only");
  if (!done) return std::unexpected(done.error());
  if (done->status == 0) return {};
  return fail(EPERM, done->err.substr(0, done->err.find('\n')));
}

// A process that stays outside, where programs with more privileges have them, and maps our IDs
// once we are inside.
Result<HelperProcess> start_outsider(const IdMaps& maps) {
  return HelperProcess::start(0, "map IDs: fork", [&maps, pid = ::getpid()](int channel) {
    char inside = 0;
    if (::read(channel, &inside, 1) != 1) return;
    auto mapped = map_by_program("newuidmap", pid, maps.uids);
    if (mapped) mapped = map_by_program("newgidmap", pid, maps.gids);
    const std::string answer = mapped ? "+" : mapped.error().what;
    [[maybe_unused]] const auto sent = ::write(channel, answer.data(), answer.size());
  });
}

// To be called inside.
Result<void> map_by(const HelperProcess& outsider) {
  if (::write(outsider.channel(), "m", 1) != 1) return fail_errno("map IDs");
  std::array<char, 512> text;  // NOLINT(cppcoreguidelines-pro-type-member-init)
  const ssize_t n = ::read(outsider.channel(), text.data(), text.size());
  if (n <= 0) return fail(ECHILD, "map IDs: the process is gone");
  if (n == 1 && text[0] == '+') return {};
  return fail(EPERM, "map IDs: " + std::string(text.data(), static_cast<size_t>(n)));
}

Result<void> unshare_user() {
  if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0) return {};
  const int code = errno;
  std::string why = "create a user namespace";
  if (code == ENOSPC || code == EUSERS)
    why += ": /proc/sys/user/max_user_namespaces allows no more";
  else if (code == EPERM || code == EACCES)
    why += ": this host does not let its users (see kernel.unprivileged_userns_clone, AppArmor)";
  return fail_errno(why, code);
}

// Without CAP_SETGID outside, only who has given up setgroups(2) may map a group (CVE-2014-8989).
Result<void> map_own_id(const IdMaps& maps) {
  STRATA_CHECK(write_control("/proc/self/setgroups", "deny"));
  return write_id_maps(::getpid(), maps);
}

Result<void> become_root() {
  if (::syscall(SYS_setresgid, 0, 0, 0) < 0 || ::syscall(SYS_setresuid, 0, 0, 0) < 0)
    return fail_errno("become root of the user namespace");
  return {};
}

}  // namespace

Result<void> enter_new_user_namespace(const IdMaps& maps) {
  STRATA_CHECK(check_root(maps.uids, ::geteuid(), "linux.uidMappings"));
  STRATA_CHECK(check_root(maps.gids, ::getegid(), "linux.gidMappings"));
  if (is_own_id_alone(maps.uids) && is_own_id_alone(maps.gids)) {
    STRATA_CHECK(unshare_user());
    STRATA_CHECK(map_own_id(maps));
  } else {
    STRATA_TRY(const HelperProcess outsider, start_outsider(maps));
    STRATA_CHECK(unshare_user());
    STRATA_CHECK(map_by(outsider));
  }
  STRATA_CHECK(become_root());
  // What is mounted here is not to be seen outside, and the other way round.
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) < 0)
    return fail_errno("make mounts private");
  return {};
}

Result<void> enter_user_namespace_of(int pidfd) {
  if (::setns(pidfd, CLONE_NEWUSER) < 0) {
    if (errno == EINVAL) return {};
    return fail_errno("enter the container's user namespace");
  }
  return become_root();
}

bool in_user_namespace() {
  const auto map = read_file("/proc/self/uid_map");
  if (!map) return false;
  const auto first = map->find_first_not_of(' ');
  return first == std::string::npos || !map->ends_with(" 4294967295\n") || (*map)[first] != '0';
}

}  // namespace strata::linux
