// Process IDs as a person sees them. Inside the kernel a task has a PID in its own PID namespace
// and in every one above; `task->pid` is that of the topmost. Private to BPF programs.
#ifndef STRATA_PROBES_COMMON_PIDS_BPF_H
#define STRATA_PROBES_COMMON_PIDS_BPF_H

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

// How deep the task's own PID namespace lies (0: the topmost).
static __always_inline __u32 pid_level(const struct task_struct* task) {
  return BPF_CORE_READ(task, thread_pid, level);
}

// The task's PID as seen in its namespace at `level`; 0 where it is not visible.
static __always_inline __s32 pid_at_level(const struct task_struct* task, __u32 level) {
  const struct pid* pid = BPF_CORE_READ(task, thread_pid);
  __u32 own_level = BPF_CORE_READ(pid, level);
  if (level > own_level) return 0;
  // Compare include/linux/pid.h:pid_nr_ns(). The index varies, so the address is put together from
  // relocated parts.
  const void* numbers = (const void*)pid + bpf_core_field_offset(pid->numbers);
  const struct upid* upid = numbers + level * bpf_core_type_size(struct upid);
  return BPF_CORE_READ(upid, nr);
}

// Its PID as it sees itself.
static __always_inline __s32 own_pid(const struct task_struct* task) {
  return pid_at_level(task, pid_level(task));
}

#endif
