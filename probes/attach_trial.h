// Trying one kind of BPF program: an empty one is loaded, attached to a quiet place for a moment,
// and taken away.
//
// Private to probes/. Thread rule: functions may be called from any thread.
#pragma once

#include "unionfs/base/result.h"

namespace strata::probes {

[[nodiscard]] Result<void> try_ring_buffer();
[[nodiscard]] Result<void> try_test_run();  // how a command joins a probe's tree
[[nodiscard]] Result<void> try_raw_tracepoint();
[[nodiscard]] Result<void> try_btf_tracepoint();
[[nodiscard]] Result<void> try_tracepoint();
[[nodiscard]] Result<void> try_iterator();
[[nodiscard]] Result<void> try_uprobe();
[[nodiscard]] Result<void> try_kprobe();
[[nodiscard]] Result<void> try_fentry();
[[nodiscard]] Result<void> try_fexit();
[[nodiscard]] Result<void> try_lsm();

}  // namespace strata::probes
