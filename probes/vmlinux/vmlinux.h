// The kernel's types as far as our BPF programs read them, kept by hand: a handful of fields, each
// relocated to the running kernel's own layout at load time (CO-RE, preserve_access_index). Order
// and size of a struct here mean nothing; names and types of its fields do.
//
// The enumerations are kernel ABI (linux/bpf.h) and can't change.
#ifndef STRATA_PROBES_VMLINUX_H
#define STRATA_PROBES_VMLINUX_H

typedef signed char __s8;
typedef unsigned char __u8;
typedef short __s16;
typedef unsigned short __u16;
typedef int __s32;
typedef unsigned int __u32;
typedef long long __s64;
typedef unsigned long long __u64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;
typedef _Bool bool;
enum { false = 0, true = 1 };

enum bpf_map_type {
  BPF_MAP_TYPE_HASH = 1,
  BPF_MAP_TYPE_RINGBUF = 27,
};

enum {
  BPF_ANY = 0,
  BPF_NOEXIST = 1,
};

enum {
  BPF_RB_NO_WAKEUP = 1,
  BPF_RB_FORCE_WAKEUP = 2,
};

enum {
  BPF_RB_AVAIL_DATA = 0,
};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

// include/linux/pid.h. numbers[i] is the PID in the namespace that is i levels below the first one.
struct upid {
  int nr;
};

struct pid {
  unsigned int level;
  struct upid numbers[1];
};

// arch/x86/include/asm/thread_info.h
struct thread_info {
  __u32 status;
};

// include/linux/mm_types.h
struct mm_struct {
  unsigned long arg_start;
  unsigned long arg_end;
};

// include/linux/sched/signal.h
struct signal_struct {
  unsigned int flags;
  int group_exit_code;
};

// include/linux/sched.h
struct task_struct {
  struct thread_info thread_info;
  int pid;
  int tgid;
  int exit_code;
  char comm[16];
  struct task_struct* real_parent;
  struct task_struct* group_leader;
  struct mm_struct* mm;
  struct signal_struct* signal;
  struct pid* thread_pid;
};

// include/linux/binfmts.h
struct linux_binprm {
  const char* filename;
};

#pragma clang attribute pop

#endif
