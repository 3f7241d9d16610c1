#include "probes/attach_trial.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "probes/bpf_handles.h"
#include "unionfs/base/file.h"
#include "unionfs/base/unique_fd.h"

// The image's first byte, for the offset of a function within the file.
extern "C" const char __ehdr_start;  // NOLINT(bugprone-reserved-identifier): the linker's name

namespace strata::probes {
namespace {

// Where trials attach: something that happens seldom, or never.
constexpr const char* kRawTracepoint = "sched_process_exec";
constexpr const char* kFunction = "bpf_fentry_test1";  // there for tests of BPF, called by nobody
constexpr const char* kLsmHook = "quota_on";

// return 0;
constexpr std::array<bpf_insn, 2> kEmptyProgram{{
    {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
    {.code = BPF_JMP | BPF_EXIT},
}};

Result<UniqueFd> load(bpf_prog_type type, std::optional<bpf_attach_type> attach_type = {},
                      const char* target = nullptr) {
  const LibbpfLog log;
  bpf_prog_load_opts options{};
  options.sz = sizeof(options);
  if (attach_type) options.expected_attach_type = *attach_type;
  if (target != nullptr) {
    const int id = libbpf_find_vmlinux_btf_id(target, *attach_type);
    if (id < 0) return fail_errno(std::string("find ") + target + " in the kernel's BTF", -id);
    options.attach_btf_id = static_cast<uint32_t>(id);
  }
  const int fd = bpf_prog_load(type, "strata_trial", "GPL", kEmptyProgram.data(),
                               kEmptyProgram.size(), &options);
  if (fd < 0) return fail_errno("load", -fd);
  return UniqueFd(fd);
}

Result<void> attach_raw(const UniqueFd& program, const char* tracepoint) {
  const UniqueFd link(bpf_raw_tracepoint_open(tracepoint, program.get()));
  if (!link) return fail_errno("attach");
  return {};
}

// Programs that are bound to a kernel function or tracepoint by their type when they are loaded.
Result<void> try_tracing(bpf_prog_type type, bpf_attach_type attach_type, const char* target) {
  STRATA_TRY(const UniqueFd program, load(type, attach_type, target));
  return attach_raw(program, nullptr);
}

Result<void> attach_perf(const UniqueFd& program, perf_event_attr& attr) {
  attr.size = sizeof(attr);
  const UniqueFd event(
      static_cast<int>(::syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC)));
  if (!event) return fail_errno("perf_event_open");
  if (::ioctl(event.get(), PERF_EVENT_IOC_SET_BPF, program.get()) < 0) return fail_errno("attach");
  return {};
}

// A small number that a file in /sys holds.
Result<uint32_t> number_in(const std::string& path) {
  STRATA_TRY(const std::string text, read_file(path));
  uint32_t value = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), value).ec != std::errc{})
    return fail(EINVAL, path + ": not a number");
  return value;
}

Result<uint32_t> perf_type(const std::string& name, std::string_view option) {
  auto type = number_in("/sys/bus/event_source/devices/" + name + "/type");
  if (type || type.error().code != ENOENT) return type;
  return fail(ENOENT, "not compiled into this kernel (" + std::string(option) + ")");
}

[[gnu::noinline, gnu::used]] void uprobe_target() {
  asm volatile("");
}

}  // namespace

Result<void> try_ring_buffer() {
  const LibbpfLog log;
  const auto page = static_cast<uint32_t>(::sysconf(_SC_PAGESIZE));
  const UniqueFd map(bpf_map_create(BPF_MAP_TYPE_RINGBUF, "strata_trial", 0, 0, page, nullptr));
  if (!map) return fail_errno("create");
  return {};
}

Result<void> try_test_run() {
  STRATA_TRY(const UniqueFd program, load(BPF_PROG_TYPE_RAW_TRACEPOINT));
  bpf_test_run_opts options{};
  options.sz = sizeof(options);
  if (const int rc = bpf_prog_test_run_opts(program.get(), &options); rc != 0)
    return fail_errno("run", -rc);
  return {};
}

Result<void> try_raw_tracepoint() {
  STRATA_TRY(const UniqueFd program, load(BPF_PROG_TYPE_RAW_TRACEPOINT));
  return attach_raw(program, kRawTracepoint);
}

Result<void> try_btf_tracepoint() {
  return try_tracing(BPF_PROG_TYPE_TRACING, BPF_TRACE_RAW_TP, kRawTracepoint);
}

Result<void> try_tracepoint() {
  STRATA_TRY(const UniqueFd program, load(BPF_PROG_TYPE_TRACEPOINT));
  const std::string id = "/events/sched/sched_process_exec/id";
  auto number = number_in("/sys/kernel/tracing" + id);
  if (!number) number = number_in("/sys/kernel/debug/tracing" + id);
  if (!number) return fail(ENOENT, "loads, but needs tracefs on /sys/kernel/tracing to attach");
  perf_event_attr attr{};
  attr.type = PERF_TYPE_TRACEPOINT;
  attr.config = *number;
  return attach_perf(program, attr);
}

Result<void> try_iterator() {
  STRATA_TRY(const UniqueFd program, load(BPF_PROG_TYPE_TRACING, BPF_TRACE_ITER, "task"));
  const UniqueFd link(bpf_link_create(program.get(), 0, BPF_TRACE_ITER, nullptr));
  if (!link) return fail_errno("attach");
  return {};
}

Result<void> try_uprobe() {
  STRATA_TRY(const UniqueFd program, load(BPF_PROG_TYPE_KPROBE));
  perf_event_attr attr{};
  STRATA_TRY(attr.type, perf_type("uprobe", "CONFIG_UPROBE_EVENTS"));
  attr.uprobe_path = reinterpret_cast<uintptr_t>("/proc/self/exe");
  attr.probe_offset =
      reinterpret_cast<uintptr_t>(&uprobe_target) - reinterpret_cast<uintptr_t>(&__ehdr_start);
  return attach_perf(program, attr);
}

Result<void> try_kprobe() {
  STRATA_TRY(const UniqueFd program, load(BPF_PROG_TYPE_KPROBE));
  perf_event_attr attr{};
  STRATA_TRY(attr.type, perf_type("kprobe", "CONFIG_KPROBE_EVENTS"));
  attr.kprobe_func = reinterpret_cast<uintptr_t>(kFunction);
  return attach_perf(program, attr);
}

Result<void> try_fentry() {
  return try_tracing(BPF_PROG_TYPE_TRACING, BPF_TRACE_FENTRY, kFunction);
}

Result<void> try_fexit() {
  return try_tracing(BPF_PROG_TYPE_TRACING, BPF_TRACE_FEXIT, kFunction);
}

Result<void> try_lsm() {
  return try_tracing(BPF_PROG_TYPE_LSM, BPF_LSM_MAC, kLsmHook);
}

}  // namespace strata::probes
