#include "probes/join.h"

#include <linux/bpf.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace strata::probes {

int join_tree(int join_fd) noexcept {
  // BPF_PROG_TEST_RUN executes a raw tracepoint program in the context of the caller
  // (net/bpf/test_run.c:bpf_prog_test_run_raw_tp()).
  bpf_attr attr{};
  attr.test.prog_fd = static_cast<unsigned>(join_fd);
  if (::syscall(SYS_bpf, BPF_PROG_TEST_RUN, &attr, sizeof(attr)) < 0) return errno;
  // The program returns 0, or 1 when there was no room for the thread.
  return attr.test.retval == 0 ? 0 : ENOSPC;
}

}  // namespace strata::probes
