// Puts decoded events and call sums together into a StartupTrace, in whatever order they come and
// whatever is missing: a process whose birth was dropped still gets its place.
//
// Private to probes/. Thread rule: one owner.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "probes/decode.h"
#include "probes/startup.h"

namespace strata::probes {

// Counts of one process's calls to one system call, as the kernel side keeps them.
struct RawCallSum {
  uint32_t process = 0;
  uint32_t number = 0;
  uint64_t count = 0;
  uint64_t errors = 0;
  uint64_t total_ns = 0;
  uint64_t max_ns = 0;
};

class TraceBuilder {
 public:
  // `call_limit`: single calls kept; further ones are counted as dropped.
  explicit TraceBuilder(size_t call_limit) : call_limit_(call_limit) {}

  void add(const Event& event);
  void add(const RawCallSum& sum);

  // The trace so far, with `drops` of the kernel side added to our own; argv and end are left
  // empty. The builder is empty afterwards.
  [[nodiscard]] StartupTrace build(const Drops& drops);

 private:
  struct Process {
    uint32_t parent = 0;
    pid_t pid = 0;
    pid_t own_pid = 0;
    std::optional<uint64_t> born_ns;
    uint64_t seen_ns = 0;  // the earliest event, for when the birth is missing
    uint64_t named_ns = 0;
    std::string comm;
    std::optional<Exited> exit;
    std::vector<Executed> executions;
    uint32_t threads = 1;
    std::vector<RawCallSum> calls;
  };

  void take(const Born& born);
  void take(const Executed& executed);
  void take(const Exited& exited);
  void take(const Called& called);
  Process& process_of(const EventHead& head);
  static TracedProcess finish(uint32_t id, Process process, uint64_t origin_ns);
  std::vector<Call> finish_calls(uint64_t origin_ns);
  [[nodiscard]] uint64_t origin() const;
  [[nodiscard]] uint64_t last_time() const;

  size_t call_limit_;
  uint64_t calls_over_limit_ = 0;
  std::map<uint32_t, Process> processes_;  // by id
  std::vector<Called> calls_;
};

}  // namespace strata::probes
