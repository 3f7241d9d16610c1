#include "runtime/linux/user_namespace.h"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <string>

#include "runtime/linux/helper_process.h"
#include "unionfs/base/file.h"

namespace strata::linux {
namespace {

std::string proc_file(pid_t pid, const char* name) {
  return "/proc/" + std::to_string(pid) + "/" + name;
}

std::string map_text(const std::vector<oci::IdMapping>& mappings) {
  std::string text;
  for (const auto& m : mappings)
    text += std::to_string(m.container_id) + " " + std::to_string(m.host_id) + " " +
            std::to_string(m.size) + "\n";
  return text;
}

Result<std::vector<oci::IdMapping>> read_map(pid_t pid, const char* name) {
  STRATA_TRY(const std::string text, read_file(proc_file(pid, name)));
  std::vector<oci::IdMapping> mappings;
  const char* at = text.data();
  const char* const end = at + text.size();
  const auto next = [&](uint32_t& number) {
    while (at != end && (*at == ' ' || *at == '\n')) ++at;
    const auto [after, error] = std::from_chars(at, end, number);
    at = after;
    return error == std::errc();
  };
  for (oci::IdMapping m; next(m.container_id) && next(m.host_id) && next(m.size);)
    mappings.push_back(m);
  return mappings;
}

// A process that does nothing but be in a user namespace: that of `join`, or a new one.
Result<HelperProcess> start_resident(int join) {
  STRATA_TRY(auto resident,
             HelperProcess::start(
                 join >= 0 ? 0 : CLONE_NEWUSER, "create a user namespace", [join](int channel) {
                   const int32_t code = join >= 0 && ::setns(join, CLONE_NEWUSER) < 0 ? errno : 0;
                   char end = 0;
                   if (::write(channel, &code, sizeof code) == sizeof code)
                     while (::read(channel, &end, 1) < 0 && errno == EINTR) {
                     }
                 }));
  int32_t code = 0;
  if (::read(resident.channel(), &code, sizeof code) != sizeof code)
    return fail(ECHILD, "enter a user namespace: the process is gone");
  if (code != 0) return fail_errno("join the user namespace", code);
  return resident;
}

}  // namespace

std::optional<uint32_t> host_id(const std::vector<oci::IdMapping>& mappings, uint32_t id) {
  for (const auto& m : mappings)
    if (id >= m.container_id && id - m.container_id < m.size)
      return m.host_id + (id - m.container_id);
  return std::nullopt;
}

Result<void> check_mappings(const std::vector<oci::IdMapping>& mappings,
                            const std::string& member) {
  constexpr uint64_t kBeyond = uint64_t{1} << 32;
  if (mappings.empty()) return fail(EINVAL, member + ": a user namespace needs them");
  for (size_t i = 0; i < mappings.size(); ++i) {
    const auto& m = mappings[i];
    const std::string path = member + "[" + std::to_string(i) + "]";
    if (m.size == 0) return fail(EINVAL, path + ".size: an empty range");
    if (uint64_t{m.container_id} + m.size > kBeyond || uint64_t{m.host_id} + m.size > kBeyond)
      return fail(EINVAL, path + ": it goes beyond the last ID");
    const auto overlap = [](uint64_t a, uint64_t b, uint64_t a_size, uint64_t b_size) {
      return a < b + b_size && b < a + a_size;
    };
    for (size_t j = 0; j < i; ++j)
      if (overlap(m.container_id, mappings[j].container_id, m.size, mappings[j].size) ||
          overlap(m.host_id, mappings[j].host_id, m.size, mappings[j].size))
        return fail(EINVAL, path + ": it overlaps with another");
  }
  return {};
}

Result<void> write_id_maps(pid_t pid, const IdMaps& maps) {
  STRATA_CHECK(write_control(proc_file(pid, "uid_map"), map_text(maps.uids)));
  return write_control(proc_file(pid, "gid_map"), map_text(maps.gids));
}

Result<UniqueFd> make_user_namespace(const IdMaps& maps) {
  STRATA_TRY(const HelperProcess resident, start_resident(-1));
  STRATA_CHECK(write_id_maps(resident.pid(), maps));
  return open_file(proc_file(resident.pid(), "ns/user"), O_RDONLY);
}

Result<IdMaps> read_id_maps(int user_namespace) {
  STRATA_TRY(const HelperProcess resident, start_resident(user_namespace));
  IdMaps maps;
  STRATA_TRY(maps.uids, read_map(resident.pid(), "uid_map"));
  STRATA_TRY(maps.gids, read_map(resident.pid(), "gid_map"));
  return maps;
}

}  // namespace strata::linux
