// The startup probe, kernel side: forks, execs, exits and system calls of one command's process
// tree.
//
// A thread is watched if it has an entry in `tasks`. The command enters itself by running the
// program join_tree (BPF_PROG_TEST_RUN executes it in the caller's own context), so that no PID has
// to be translated between PID namespaces. From then on every fork by an entered thread enters its
// child before that child can run, and leaving is only by the end of the thread: daemons that are
// reparented stay in.
//
// All attachments are raw tracepoints: the kind that the fewest kernels and sandboxes refuse.

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "probes/common/pids.bpf.h"
#include "probes/common/ring.bpf.h"
#include "probes/startup_events.h"

char LICENSE[] SEC("license") = "GPL";

// Set between open and load.
const volatile __u32 execve_number = 0;
const volatile bool keep_calls = false;  // single calls as events, not only their sums
const volatile __u64 events_wake_at = 0;
const volatile __u64 calls_wake_at = 0;

// Read, and set to zero between commands, by the loader.
struct strata_lost lost;
__u32 processes_made;   // processes numbered so far
__s32 processes_alive;  // processes of the tree that have not ended
__u32 pid_view;         // level of the PID namespace in which the command was started

struct task {
  __u64 call_began_ns;
  __u32 call_number;
  __u32 process;
  __s32 pid;  // as seen at pid_view
  __s32 own_pid;
  __u8 started;  // 0 only for the command before its execve
  __u8 in_call;
};

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 16384);
  __type(key, __u32);  // the kernel's own thread ID (topmost PID namespace)
  __type(value, struct task);
} tasks SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 16384);
  __type(key, __u32);    // process
  __type(value, __s32);  // its threads
} threads SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 65536);
  __type(key, struct strata_call_key);
  __type(value, struct strata_call_sum);
} call_sums SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 1 << 20);
} events SEC(".maps");

// Apart from the others, so that a flood of calls never costs a fork or an exit.
struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 1 << 22);
} calls SEC(".maps");

static __always_inline void count(__u64* counter) {
  __sync_fetch_and_add(counter, 1);
}

static __always_inline struct task* find_task(__u32 tid) {
  return bpf_map_lookup_elem(&tasks, &tid);
}

static __always_inline struct task_struct* current_task(void) {
  return (struct task_struct*)bpf_get_current_task();
}

static __always_inline __u32 current_tid(void) {
  return (__u32)bpf_get_current_pid_tgid();
}

static __always_inline void fill_head(struct strata_event_head* head, __u32 kind,
                                      const struct task* task, __u64 now) {
  head->kind = kind;
  head->process = task->process;
  head->time_ns = now;
  head->pid = task->pid;
  head->own_pid = task->own_pid;
}

// Room for an event, or NULL with the loss counted.
static __always_inline void* reserve_event(__u64 size) {
  void* event = bpf_ringbuf_reserve(&events, size, 0);
  if (!event) count(&lost.events);
  return event;
}

static __always_inline void submit_event(void* event) {
  bpf_ringbuf_submit(event, wakeup_flags(&events, events_wake_at));
}

// `task` is the new one's entry, `child` the kernel's view of it.
static __always_inline void report_task(__u32 kind, const struct task* task, __u32 parent,
                                        __s32 parent_pid, struct task_struct* child, __u64 now) {
  struct strata_task_event* event = reserve_event(sizeof(*event));
  if (!event) return;
  fill_head(&event->head, kind, task, now);
  event->parent = parent;
  event->parent_pid = parent_pid;
  BPF_CORE_READ_INTO(&event->comm, child, comm);
  submit_event(event);
}

// Puts the calling thread into the tree as its first process. Attached to nothing: run by the
// command, once, before it calls execve. Gives 1 if there is no room.
SEC("raw_tp")
int join_tree(void* ctx) {
  struct task_struct* self = current_task();
  __u32 tid = current_tid();
  struct task task = {};
  __s32 one = 1;

  pid_view = pid_level(BPF_CORE_READ(self, real_parent));
  task.process = __sync_fetch_and_add(&processes_made, 1) + 1;
  task.pid = pid_at_level(self, pid_view);
  task.own_pid = own_pid(self);
  if (bpf_map_update_elem(&threads, &task.process, &one, BPF_NOEXIST) ||
      bpf_map_update_elem(&tasks, &tid, &task, BPF_ANY)) {
    count(&lost.tasks);
    return 1;
  }
  __sync_fetch_and_add(&processes_alive, 1);
  return 0;
}

static __always_inline void add_thread(__u32 tid, const struct task* entry) {
  __s32* alive = bpf_map_lookup_elem(&threads, &entry->process);
  if (!alive || bpf_map_update_elem(&tasks, &tid, entry, BPF_ANY)) {
    count(&lost.tasks);
    return;
  }
  __sync_fetch_and_add(alive, 1);
}

static __always_inline void add_process(__u32 tid, const struct task* entry) {
  __s32 one = 1;
  if (bpf_map_update_elem(&threads, &entry->process, &one, BPF_NOEXIST)) {
    count(&lost.tasks);
    return;
  }
  if (bpf_map_update_elem(&tasks, &tid, entry, BPF_ANY)) {
    bpf_map_delete_elem(&threads, &entry->process);
    count(&lost.tasks);
    return;
  }
  __sync_fetch_and_add(&processes_alive, 1);
}

SEC("raw_tp/sched_process_fork")
int BPF_PROG(on_fork, struct task_struct* parent, struct task_struct* child) {
  struct task* creator = find_task(BPF_CORE_READ(parent, pid));
  if (!creator || !creator->started) return 0;

  __u64 now = bpf_ktime_get_ns();
  __u32 tid = BPF_CORE_READ(child, pid);
  bool is_thread = BPF_CORE_READ(child, tgid) == BPF_CORE_READ(parent, tgid);
  struct task entry = {.started = 1};
  entry.pid = pid_at_level(child, pid_view);
  entry.own_pid = own_pid(child);
  entry.process = is_thread ? creator->process : __sync_fetch_and_add(&processes_made, 1) + 1;

  if (is_thread) {
    add_thread(tid, &entry);
  } else {
    add_process(tid, &entry);
  }
  report_task(is_thread ? STRATA_EVENT_THREAD : STRATA_EVENT_FORKED, &entry, creator->process,
              pid_at_level(BPF_CORE_READ(parent, group_leader), pid_view), child, now);
  return 0;
}

// A thread other than the first that calls execve takes over the process's ID; the first one has
// ended by then (fs/exec.c:de_thread()).
static __always_inline struct task* take_over(__u32 old_tid, __u32 tid) {
  struct task* old = find_task(old_tid);
  if (old_tid == tid || !old) return old;
  struct task moved = *old;
  struct task_struct* self = current_task();
  moved.pid = pid_at_level(self, pid_view);
  moved.own_pid = own_pid(self);
  bpf_map_delete_elem(&tasks, &old_tid);
  if (bpf_map_update_elem(&tasks, &tid, &moved, BPF_ANY)) count(&lost.tasks);
  return find_task(tid);
}

SEC("raw_tp/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct* self, int old_tid, struct linux_binprm* binprm) {
  struct task* task = take_over(old_tid, BPF_CORE_READ(self, pid));
  if (!task || !task->started) return 0;

  struct strata_exec_event* event = reserve_event(sizeof(*event));
  if (!event) return 0;
  fill_head(&event->head, STRATA_EVENT_EXECED, task, bpf_ktime_get_ns());
  BPF_CORE_READ_INTO(&event->comm, self, comm);
  if (bpf_probe_read_kernel_str(event->path, sizeof(event->path), BPF_CORE_READ(binprm, filename)) <
      0)
    event->path[0] = '\0';

  unsigned long begin = BPF_CORE_READ(self, mm, arg_start);
  __u32 size = BPF_CORE_READ(self, mm, arg_end) - begin;
  event->arguments_size = size;
  barrier_var(size);  // or clang 14 bounds a copy of it, and the verifier sees none
  if (size > sizeof(event->arguments)) size = sizeof(event->arguments);
  event->arguments_kept = size;
  if (bpf_probe_read_user(event->arguments, size, (const void*)begin)) event->arguments_kept = 0;
  submit_event(event);
  return 0;
}

static __always_inline void raise_max(__u64* max, __u64 value) {
  // A few tries are plenty: only threads of one process in the same call compete.
  for (int i = 0; i < 8; ++i) {
    __u64 seen = *(volatile __u64*)max;
    if (value <= seen || __sync_val_compare_and_swap(max, seen, value) == seen) return;
  }
}

static __always_inline void add_to_sum(__u32 process, __u32 number, __u64 duration_ns,
                                       bool failed) {
  struct strata_call_key key = {.process = process, .number = number};
  struct strata_call_sum* sum = bpf_map_lookup_elem(&call_sums, &key);
  if (!sum) {
    struct strata_call_sum zero = {};
    bpf_map_update_elem(&call_sums, &key, &zero, BPF_NOEXIST);  // or another thread just did
    sum = bpf_map_lookup_elem(&call_sums, &key);
  }
  if (!sum) {
    count(&lost.call_sums);
    return;
  }
  __sync_fetch_and_add(&sum->count, 1);
  __sync_fetch_and_add(&sum->total_ns, duration_ns);
  if (failed) __sync_fetch_and_add(&sum->errors, 1);
  raise_max(&sum->max_ns, duration_ns);
}

static __always_inline void report_call(const struct task* task, __u64 duration_ns, __s64 result,
                                        bool unfinished) {
  struct strata_call_event* event = bpf_ringbuf_reserve(&calls, sizeof(*event), 0);
  if (!event) {
    count(&lost.calls);
    return;
  }
  fill_head(&event->head, STRATA_EVENT_CALLED, task, task->call_began_ns);
  event->duration_ns = duration_ns;
  event->result = result;
  event->number = task->call_number;
  event->unfinished = unfinished;
  bpf_ringbuf_submit(event, wakeup_flags(&calls, calls_wake_at));
}

static __always_inline void end_call(struct task* task, __u64 now, __s64 result, bool unfinished) {
  __u64 duration_ns = now - task->call_began_ns;
  task->in_call = 0;
  add_to_sum(task->process, task->call_number, duration_ns, result < 0 && result >= -4095);
  if (keep_calls) report_call(task, duration_ns, result, unfinished);
}

// The command's first execve is where its time begins.
static __always_inline void start(struct task* task, __u64 now) {
  task->started = 1;
  struct task_struct* self = current_task();
  report_task(STRATA_EVENT_STARTED, task, 0,
              pid_at_level(BPF_CORE_READ(self, real_parent), pid_view), self, now);
}

static __always_inline bool is_compat_call(void) {
  const __u32 ts_compat = 2;  // arch/x86/include/asm/thread_info.h
  struct task_struct* self = current_task();
  if (!bpf_core_field_exists(self->thread_info.status)) return false;
  return BPF_CORE_READ(self, thread_info.status) & ts_compat;
}

SEC("raw_tp/sys_enter")
int BPF_PROG(on_call, void* registers, long number) {
  struct task* task = find_task(current_tid());
  if (!task || number < 0) return 0;
  __u64 now = bpf_ktime_get_ns();
  if (!task->started) {
    if (number != execve_number) return 0;
    start(task, now);
  }
  task->call_number = (__u32)number | (is_compat_call() ? STRATA_CALL_COMPAT : 0);
  task->call_began_ns = now;
  task->in_call = 1;
  return 0;
}

// Also reached without on_call: by a new child returning from its parent's fork, by a call that
// seccomp answered, and by the call in which the command joined.
SEC("raw_tp/sys_exit")
int BPF_PROG(on_return, void* registers, long result) {
  struct task* task = find_task(current_tid());
  if (task && task->in_call) end_call(task, bpf_ktime_get_ns(), result, false);
  return 0;
}

// Compare kernel/exit.c:wait_task_zombie().
static __always_inline int wait_status(struct task_struct* self) {
  const unsigned int signal_group_exit = 4;  // include/linux/sched/signal.h
  if (BPF_CORE_READ(self, signal, flags) & signal_group_exit)
    return BPF_CORE_READ(self, signal, group_exit_code);
  return BPF_CORE_READ(self, group_leader, exit_code);
}

static __always_inline void end_process(struct task_struct* self, const struct task* task,
                                        __u64 now) {
  bpf_map_delete_elem(&threads, &task->process);
  struct strata_exit_event* event = reserve_event(sizeof(*event));
  if (event) {
    fill_head(&event->head, STRATA_EVENT_EXITED, task, now);
    event->head.pid = pid_at_level(BPF_CORE_READ(self, group_leader), pid_view);
    event->head.own_pid = own_pid(BPF_CORE_READ(self, group_leader));
    event->status = wait_status(self);
    BPF_CORE_READ_INTO(&event->comm, self, comm);
  }
  // Counted down before the event is visible: a reader that is woken by it sees the count.
  bool last = __sync_fetch_and_add(&processes_alive, -1) == 1;
  if (!event) return;
  if (last) {
    bpf_ringbuf_submit(event, BPF_RB_FORCE_WAKEUP);
  } else {
    submit_event(event);
  }
}

SEC("raw_tp/sched_process_exit")
int BPF_PROG(on_exit, struct task_struct* self) {
  __u32 tid = BPF_CORE_READ(self, pid);
  struct task* entry = find_task(tid);
  if (!entry) return 0;
  __u64 now = bpf_ktime_get_ns();
  if (entry->in_call) end_call(entry, now, 0, true);

  struct task task = *entry;
  bpf_map_delete_elem(&tasks, &tid);
  __s32* alive = bpf_map_lookup_elem(&threads, &task.process);
  if (alive && __sync_fetch_and_add(alive, -1) == 1) end_process(self, &task, now);
  return 0;
}
