// What this kernel, and this user on it, allow of BPF. Found by trying: kernel configurations lie
// by omission, and sandboxes refuse what the kernel could do.
//
// Thread rule: functions may be called from any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace strata::probes {

struct Feature {
  std::string_view name;     // "raw tracepoint"
  std::string_view purpose;  // what it would show
  bool needed = false;       // the startup probe can't do without it
  bool available = false;
  std::string reason;  // why not; empty if available
};

// Tries every feature once: loads an empty program of that kind, attaches it to a quiet place for
// a moment, and takes it away again.
[[nodiscard]] std::vector<Feature> check_support();

// Why the kernel refused BPF with that errno, as far as this process can find out: missing
// capabilities, a user namespace, lockdown, a kernel without the option. Never empty.
[[nodiscard]] std::string explain_refusal(int code);

}  // namespace strata::probes
