// Owners of libbpf's objects, and libbpf's voice: what it would print is kept for error messages.
//
// Private to probes/, for .cc files only (it shows libbpf).
#pragma once

#include <bpf/libbpf.h>

#include <memory>
#include <string>

namespace strata::probes {

struct LinkDeleter {
  void operator()(bpf_link* link) const { bpf_link__destroy(link); }
};
using UniqueLink = std::unique_ptr<bpf_link, LinkDeleter>;

struct RingDeleter {
  void operator()(ring_buffer* ring) const { ring_buffer__free(ring); }
};
using UniqueRing = std::unique_ptr<ring_buffer, RingDeleter>;

// While it lives, libbpf prints nothing on this thread and its last complaint is kept. One at a
// time per thread.
class LibbpfLog {
 public:
  LibbpfLog();
  LibbpfLog(const LibbpfLog&) = delete;
  LibbpfLog& operator=(const LibbpfLog&) = delete;
  ~LibbpfLog();

  // What it said last before giving up, on one line; empty if nothing.
  [[nodiscard]] std::string last_complaint() const;
};

}  // namespace strata::probes
