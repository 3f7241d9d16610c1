// Who a process is, beyond its number: a process ID is given out again, but not together with the
// same start time in the same boot.
//
// Source: proc(5), /proc/<pid>/stat field 22; /proc/sys/kernel/random/boot_id.
// Thread rule: plain values; functions may be called from any thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "unionfs/base/result.h"
#include "unionfs/base/unique_fd.h"

namespace strata::container {

struct ProcessIdentity {
  pid_t pid = 0;  // 0: no process
  uint64_t start_ticks = 0;
  std::string boot_id;

  bool operator==(const ProcessIdentity&) const = default;
};

// What /proc/<pid>/stat says: how it started and whether it has exited already.
struct ProcessStat {
  char state = '?';
  uint64_t start_ticks = 0;
};
// nullopt for text that is not the content of such a file. The program's name in it may hold
// anything, spaces and parentheses included.
[[nodiscard]] std::optional<ProcessStat> parse_stat(std::string_view text);

// The identity of a process that lives. ESRCH if it doesn't.
[[nodiscard]] Result<ProcessIdentity> identify(pid_t pid);

// A pidfd of the very process, or an invalid descriptor if it is gone or only waits to be reaped.
[[nodiscard]] UniqueFd open_process(const ProcessIdentity& identity);

[[nodiscard]] bool is_alive(const ProcessIdentity& identity);

// Whether the process catches, blocks or ignores a signal, rather than leaving it to the kernel's
// default: which is, for the first process of a pid namespace, that nothing happens
// (pid_namespaces(7)). False if it is gone.
[[nodiscard]] bool decides_on(const ProcessIdentity& identity, int signal);

// ESRCH if it is gone.
[[nodiscard]] Result<void> send_signal(const ProcessIdentity& identity, int signal);

}  // namespace strata::container
