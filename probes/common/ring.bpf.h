// When a ring buffer's reader is woken. Each wake-up takes time from what is being watched, so it
// is woken when a part of the buffer has filled, or when something must be known now. Private
// to BPF programs.
#ifndef STRATA_PROBES_COMMON_RING_BPF_H
#define STRATA_PROBES_COMMON_RING_BPF_H

#include <bpf/bpf_helpers.h>

static __always_inline __u64 wakeup_flags(void* ring, __u64 wake_at_bytes) {
  return bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA) >= wake_at_bytes ? BPF_RB_FORCE_WAKEUP
                                                                     : BPF_RB_NO_WAKEUP;
}

#endif
