// How a process is scheduled and labelled: the parts of `process` and `linux.personality` that few
// containers ask for. For the .cc files of runtime/linux only.
#pragma once

#include <sched.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/oci/spec.h"
#include "unionfs/base/result.h"

namespace strata::linux {

// As sched_setattr(2) takes it; glibc has no declaration.
struct SchedulerAttributes {
  uint32_t size = sizeof(SchedulerAttributes);
  uint32_t policy = 0;
  uint64_t flags = 0;
  int32_t nice = 0;
  uint32_t priority = 0;
  uint64_t runtime = 0, deadline = 0, period = 0;
};

struct ProcessAttributes {
  std::optional<SchedulerAttributes> scheduler;
  std::optional<int> io_priority;  // as ioprio_set(2) takes it
  std::optional<cpu_set_t> first_cpus, final_cpus;
  std::optional<unsigned long> personality;
  // Written to a file of /proc/self/attr, for the next execve.
  struct Label {
    std::string file;
    std::string text;
  };
  std::vector<Label> labels;
};

// EINVAL with the JSON path for what is unknown; ENOTSUP for a label of a security module that is
// not there.
[[nodiscard]] Result<ProcessAttributes> process_attributes(const oci::Process& process);
[[nodiscard]] Result<std::optional<unsigned long>> personality_of(const oci::Linux& linux);
[[nodiscard]] Result<void> check_mount_label(const oci::Linux& linux);

// "0-3,7" as a set: EINVAL for what is not such a list.
[[nodiscard]] Result<cpu_set_t> cpu_list(std::string_view text, const std::string& path);

}  // namespace strata::linux
