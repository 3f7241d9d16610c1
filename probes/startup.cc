#include "probes/startup.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "probes/bpf_handles.h"
#include "probes/decode.h"
#include "probes/probe.h"
#include "probes/startup_events.h"
#include "probes/support.h"
#include "probes/trace_builder.h"
#include "startup.skel.h"

namespace strata::probes {
namespace {

struct SkeletonDeleter {
  void operator()(startup_bpf* skeleton) const { startup_bpf__destroy(skeleton); }
};
using Skeleton = std::unique_ptr<startup_bpf, SkeletonDeleter>;

// Ring buffers are a power of two of whole pages (kernel/bpf/ringbuf.c:ringbuf_map_alloc()).
uint32_t ring_size(size_t bytes) {
  const auto page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  constexpr size_t kLargest = size_t{1} << 30;
  return static_cast<uint32_t>(std::bit_ceil(std::clamp(bytes, page, kLargest)));
}

// All that is decided before the programs are loaded.
void configure(startup_bpf& skeleton, const StartupOptions& options) {
  const uint32_t event_bytes = ring_size(options.event_buffer_bytes);
  const uint32_t call_bytes = ring_size(options.keep_calls ? options.call_buffer_bytes : 0);
  skeleton.rodata->execve_number = SYS_execve;
  skeleton.rodata->keep_calls = options.keep_calls;
  // Half a buffer is left for what happens until the reader gets the CPU.
  skeleton.rodata->events_wake_at = event_bytes / 2;
  skeleton.rodata->calls_wake_at = call_bytes / 2;
  bpf_map__set_max_entries(skeleton.maps.events, event_bytes);
  bpf_map__set_max_entries(skeleton.maps.calls, call_bytes);
}

Error refusal(const char* what, int code, const LibbpfLog& log) {
  Error error = posix_error(what, code);
  error.what += " (" + explain_refusal(code);
  // Of a refused permission libbpf says less than we do.
  if (code == EPERM) return {code, error.what + ")"};
  if (const auto complaint = log.last_complaint(); !complaint.empty())
    error.what += "; " + complaint;
  error.what += ")";
  return error;
}

// Every key of a map.
template <class Key>
std::vector<Key> keys_of(int map) {
  std::vector<Key> keys;
  Key key{};
  for (const Key* previous = nullptr; ::bpf_map_get_next_key(map, previous, &key) == 0;
       previous = &keys.back())
    keys.push_back(key);
  return keys;
}

template <class Key>
void clear_map(int map) {
  for (const Key& key : keys_of<Key>(map)) ::bpf_map_delete_elem(map, &key);
}

}  // namespace

class StartupProbe::Impl final : public Probe {
 public:
  explicit Impl(const StartupOptions& options)
      : call_limit_(options.call_limit), builder_(options.call_limit) {}

  Result<void> load(const StartupOptions& options);
  Result<void> attach() override;
  int join_fd() const override { return bpf_program__fd(skeleton_->progs.join_tree); }
  int readable_fd() const override { return ring_buffer__epoll_fd(ring_.get()); }
  Result<void> drain() override;
  bool tree_ended() const override;
  void detach() override;

  // What was seen since attach(). REQUIRES: detached.
  Result<StartupTrace> take_trace();

 private:
  static int take_record(void* self, void* data, size_t size);
  Result<void> attach_one(bpf_program* program);
  void collect_sums();
  void forget_last_command();

  Skeleton skeleton_;
  UniqueRing ring_;
  std::vector<UniqueLink> links_;
  size_t call_limit_;
  TraceBuilder builder_;
  Result<void> decoded_;  // the first record that could not be decoded, if any
};

Result<void> StartupProbe::Impl::load(const StartupOptions& options) {
  constexpr const char* kWhat = "load the startup probe";
  const LibbpfLog log;
  skeleton_.reset(startup_bpf__open());
  if (!skeleton_) return std::unexpected(refusal(kWhat, errno, log));
  configure(*skeleton_, options);
  if (const int rc = startup_bpf__load(skeleton_.get()); rc != 0)
    return std::unexpected(refusal(kWhat, -rc, log));

  ring_.reset(ring_buffer__new(bpf_map__fd(skeleton_->maps.events), take_record, this, nullptr));
  if (!ring_) return std::unexpected(refusal(kWhat, errno, log));
  const int rc =
      ring_buffer__add(ring_.get(), bpf_map__fd(skeleton_->maps.calls), take_record, this);
  if (rc != 0) return std::unexpected(refusal(kWhat, -rc, log));
  return {};
}

Result<void> StartupProbe::Impl::attach_one(bpf_program* program) {
  const LibbpfLog log;
  UniqueLink link(bpf_program__attach(program));
  if (!link) {
    const std::string what =
        std::string("attach the startup probe to ") + bpf_program__section_name(program);
    return std::unexpected(refusal(what.c_str(), errno, log));
  }
  links_.push_back(std::move(link));
  return {};
}

Result<void> StartupProbe::Impl::attach() {
  if (!links_.empty()) return fail(EBUSY, "attach the startup probe: it is attached already");
  forget_last_command();
  const auto& progs = skeleton_->progs;
  for (bpf_program* program :
       {progs.on_exit, progs.on_exec, progs.on_fork, progs.on_return, progs.on_call}) {
    if (auto attached = attach_one(program); !attached) {
      links_.clear();
      return attached;
    }
  }
  return {};
}

void StartupProbe::Impl::forget_last_command() {
  // Records of daemons that ran on after the last command was done with.
  ring_buffer__consume(ring_.get());
  builder_ = TraceBuilder(call_limit_);
  decoded_ = {};
  clear_map<uint32_t>(bpf_map__fd(skeleton_->maps.tasks));
  clear_map<uint32_t>(bpf_map__fd(skeleton_->maps.threads));
  clear_map<strata_call_key>(bpf_map__fd(skeleton_->maps.call_sums));
  skeleton_->bss->lost = {};
  skeleton_->bss->processes_made = 0;
  skeleton_->bss->processes_alive = 0;
}

int StartupProbe::Impl::take_record(void* self, void* data, size_t size) {
  auto* impl = static_cast<Impl*>(self);
  auto event = decode_event({static_cast<const std::byte*>(data), size});
  if (event) {
    impl->builder_.add(*event);
  } else if (impl->decoded_) {
    impl->decoded_ = fail_in("read the startup probe's events", std::move(event).error());
  }
  return 0;
}

Result<void> StartupProbe::Impl::drain() {
  const int rc = ring_buffer__consume(ring_.get());
  if (rc < 0) return fail_errno("read the startup probe's events", -rc);
  return decoded_;
}

bool StartupProbe::Impl::tree_ended() const {
  return __atomic_load_n(&skeleton_->bss->processes_alive, __ATOMIC_ACQUIRE) <= 0;
}

void StartupProbe::Impl::detach() {
  if (links_.empty()) return;
  links_.clear();
  // The programs run with preemption disabled. After a grace period of RCU, which is what this call
  // waits for, none that began before is left (membarrier(2)). Where CPUs run without a tick it is
  // not to be had: then a while must do.
  if (::syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0) != 0) ::usleep(50'000);
}

void StartupProbe::Impl::collect_sums() {
  const int map = bpf_map__fd(skeleton_->maps.call_sums);
  for (const auto& key : keys_of<strata_call_key>(map)) {
    strata_call_sum sum{};
    if (::bpf_map_lookup_elem(map, &key, &sum) != 0) continue;
    builder_.add({.process = key.process,
                  .number = key.number,
                  .count = sum.count,
                  .errors = sum.errors,
                  .total_ns = sum.total_ns,
                  .max_ns = sum.max_ns});
  }
}

Result<StartupTrace> StartupProbe::Impl::take_trace() {
  STRATA_CHECK(drain());
  collect_sums();
  const auto& lost = skeleton_->bss->lost;
  return builder_.build({.events = lost.events,
                         .calls = lost.calls,
                         .call_sums = lost.call_sums,
                         .tasks = lost.tasks});
}

StartupProbe::StartupProbe(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
StartupProbe::StartupProbe(StartupProbe&&) noexcept = default;
StartupProbe& StartupProbe::operator=(StartupProbe&&) noexcept = default;
StartupProbe::~StartupProbe() = default;

Result<StartupProbe> StartupProbe::open(const StartupOptions& options) {
  auto impl = std::make_unique<Impl>(options);
  STRATA_CHECK(impl->load(options));
  return StartupProbe(std::move(impl));
}

Result<StartupTrace> StartupProbe::run(const WatchedCommand& command) {
  STRATA_TRY(CommandEnd end, watch(*impl_, command));
  if (end.start_error != 0) return StartupTrace{.argv = command.argv, .end = end};
  STRATA_TRY(StartupTrace trace, impl_->take_trace());
  trace.argv = command.argv;
  trace.end = end;
  return trace;
}

Result<void> StartupProbe::begin() {
  return impl_->attach();
}

int StartupProbe::join_fd() const {
  return impl_->join_fd();
}

Result<void> StartupProbe::drain() {
  return impl_->drain();
}

Result<StartupTrace> StartupProbe::end() {
  impl_->detach();
  return impl_->take_trace();
}

}  // namespace strata::probes
