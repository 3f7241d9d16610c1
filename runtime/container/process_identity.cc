#include "runtime/container/process_identity.h"

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <charconv>

#include "unionfs/base/file.h"

namespace strata::container {
namespace {

constexpr size_t kStatLimit = 4096;

std::filesystem::path stat_path(pid_t pid) {
  return "/proc/" + std::to_string(pid) + "/stat";
}

// Stays the same while the machine runs, so one look is enough.
Result<std::string> boot_id() {
  static const auto text = read_file("/proc/sys/kernel/random/boot_id", kStatLimit);
  if (!text) return std::unexpected(text.error());
  return text->substr(0, text->find('\n'));
}

// A set of signals in /proc/<pid>/status (proc_pid_status(5)); empty if it is not there.
uint64_t mask_in(std::string_view status, std::string_view field) {
  constexpr int kHexadecimal = 16;
  uint64_t mask = 0;
  const auto at = status.find(field);
  if (at == std::string_view::npos) return mask;
  status.remove_prefix(at + field.size());
  (void)std::from_chars(status.data(), status.data() + status.size(), mask, kHexadecimal);
  return mask;
}

}  // namespace

std::optional<ProcessStat> parse_stat(std::string_view text) {
  // "pid (name) state ppid …": the last parenthesis ends the name.
  const auto name_end = text.rfind(") ");
  if (name_end == std::string_view::npos || name_end + 2 >= text.size()) return std::nullopt;
  text.remove_prefix(name_end + 2);
  ProcessStat stat;
  stat.state = text.front();
  constexpr int kStateField = 3;
  constexpr int kStartField = 22;
  for (int field = kStateField; field < kStartField; ++field) {
    const auto space = text.find(' ');
    if (space == std::string_view::npos) return std::nullopt;
    text.remove_prefix(space + 1);
  }
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), stat.start_ticks);
  if (parsed.ec != std::errc()) return std::nullopt;
  return stat;
}

Result<ProcessIdentity> identify(pid_t pid) {
  STRATA_TRY(std::string boot, boot_id());
  auto text = read_file_if_exists(stat_path(pid), kStatLimit);
  if (!text && text.error().code != ESRCH) return std::unexpected(std::move(text).error());
  if (!text || !*text) return fail(ESRCH, "process " + std::to_string(pid) + " is gone");
  const auto stat = parse_stat(**text);
  if (!stat) return fail(EINVAL, stat_path(pid).string() + ": unexpected content");
  return ProcessIdentity{pid, stat->start_ticks, std::move(boot)};
}

UniqueFd open_process(const ProcessIdentity& identity) {
  if (identity.pid <= 0) return {};
  const auto boot = boot_id();
  if (!boot || *boot != identity.boot_id) return {};
  // First the handle, then the look: if the look shows the right process, the handle is its.
  UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, identity.pid, 0)));
  if (!pidfd) return {};
  const auto text = read_file(stat_path(identity.pid), kStatLimit);
  const auto stat = text ? parse_stat(*text) : std::nullopt;
  if (!stat || stat->start_ticks != identity.start_ticks) return {};
  if (stat->state == 'Z' || stat->state == 'X') return {};
  return pidfd;
}

bool is_alive(const ProcessIdentity& identity) {
  return open_process(identity).valid();
}

bool decides_on(const ProcessIdentity& identity, int signal) {
  const auto text = read_file("/proc/" + std::to_string(identity.pid) + "/status");
  // Looked at after the reading: it was this process that was read about.
  if (!text || !is_alive(identity)) return false;
  const uint64_t bit = uint64_t{1} << static_cast<unsigned>(signal - 1);
  for (const auto* field : {"\nSigBlk:\t", "\nSigIgn:\t", "\nSigCgt:\t"})
    if ((mask_in(*text, field) & bit) != 0) return true;
  return false;
}

Result<void> send_signal(const ProcessIdentity& identity, int signal) {
  const UniqueFd pidfd = open_process(identity);
  const std::string what =
      "send signal " + std::to_string(signal) + " to process " + std::to_string(identity.pid);
  if (!pidfd) return fail_errno(what, ESRCH);
  if (::syscall(SYS_pidfd_send_signal, pidfd.get(), signal, nullptr, 0) < 0)
    return fail_errno(what);
  return {};
}

}  // namespace strata::container
