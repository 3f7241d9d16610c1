/* What the startup probe's BPF programs hand to its loader: the records in the ring buffers and
 * the keys and values of the maps. Both sides are built together, so the layout is no interface to
 * anything else. Plain C without includes: read by clang for BPF and by the C++ compiler.
 *
 * Times are CLOCK_MONOTONIC nanoseconds. `process` numbers the processes of the tree from 1 on in
 * the order in which they were forked; unlike a PID it is never used again.
 */
#ifndef STRATA_PROBES_STARTUP_EVENTS_H
#define STRATA_PROBES_STARTUP_EVENTS_H

enum {
  STRATA_COMM_SIZE = 16, /* TASK_COMM_LEN */
  STRATA_PATH_SIZE = 256,
  STRATA_ARGUMENTS_SIZE = 512,
};

enum strata_event_kind {
  STRATA_EVENT_STARTED = 1, /* the command calls execve for the first time: strata_task_event */
  STRATA_EVENT_FORKED = 2,  /* a new process: strata_task_event */
  STRATA_EVENT_THREAD = 3,  /* a new thread: strata_task_event */
  STRATA_EVENT_EXECED = 4,  /* strata_exec_event */
  STRATA_EVENT_EXITED = 5,  /* the last thread of a process has ended: strata_exit_event */
  STRATA_EVENT_CALLED = 6,  /* a system call has ended: strata_call_event */
};

struct strata_event_head {
  unsigned int kind;
  unsigned int process;
  unsigned long long time_ns;
  int pid;     /* thread ID as seen from where the command was started */
  int own_pid; /* the same as seen by the task itself, in its PID namespace */
};

struct strata_task_event {
  struct strata_event_head head;
  unsigned int parent; /* process that called fork, 0 for the command itself */
  int parent_pid;
  char comm[STRATA_COMM_SIZE];
};

struct strata_exec_event {
  struct strata_event_head head;
  char comm[STRATA_COMM_SIZE];
  char path[STRATA_PATH_SIZE];           /* cut off if longer, always with its NUL */
  unsigned int arguments_size;           /* of the whole argument area; may exceed what is kept */
  unsigned int arguments_kept;           /* bytes in arguments[] */
  char arguments[STRATA_ARGUMENTS_SIZE]; /* NUL-terminated strings, as in /proc/PID/cmdline */
};

struct strata_exit_event {
  struct strata_event_head head;
  int status; /* as wait(2) gives it */
  char comm[STRATA_COMM_SIZE];
};

struct strata_call_event {
  struct strata_event_head head; /* time_ns: when it began */
  unsigned long long duration_ns;
  long long result; /* what the kernel put into the register: -errno on failure */
  unsigned int number;
  unsigned int unfinished; /* 1: the thread ended within it (exit, exit_group), no result */
};

/* Added to a system call's number when it was made through the 32-bit entry of a 64-bit kernel. */
#define STRATA_CALL_COMPAT 0x80000000u

/* Per process and system call. */
struct strata_call_key {
  unsigned int process;
  unsigned int number;
};

struct strata_call_sum {
  unsigned long long count;
  unsigned long long errors;
  unsigned long long total_ns;
  unsigned long long max_ns;
};

/* What could not be kept, each a count. */
struct strata_lost {
  unsigned long long events;    /* forks, execs, exits: their ring buffer was full */
  unsigned long long calls;     /* single calls: their ring buffer was full */
  unsigned long long call_sums; /* calls in no sum: the table was full */
  unsigned long long tasks;     /* threads or processes not followed: the table was full */
};

#endif
