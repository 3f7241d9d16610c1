// One benchmark run as one document: where it ran, what was started, and every sample taken.
// Plain structs; aggregates are computed (bench/summary.h), never stored. The JSON form is
// described by results/schema/strata-result-1.schema.json and explained in results/README.md; field
// names are the same here, there and in CSV, with the unit at the end of a name (_ns, _bytes).
//
// Thread rule: plain values.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "unionfs/base/result.h"

namespace strata::bench {

// The schema that this code writes, and the only one that it reads.
inline constexpr int kSchemaVersion = 1;

// Names of the metrics that a start-up suite takes. A suite may add its own; the name must end in
// its unit: _ns, _bytes, _count, or _per_second for rates (where more is better).
namespace metric {
inline constexpr const char* kFirstByte = "first_byte_ns";  // start to first instruction: until the
                                                            // first byte that the started program
                                                            // writes reaches the harness
inline constexpr const char* kExit = "exit_ns";             // start to exit of what was started
inline constexpr const char* kGone = "gone_ns";             // start to the end of the last process
                                                            // that it left behind, if it left any
inline constexpr const char* kPeakRss = "peak_rss_bytes";   // resident memory of the largest single
                                                            // process (wait4(2): ru_maxrss)
inline constexpr const char* kUser = "user_ns";             // CPU time in user mode
inline constexpr const char* kSystem = "sys_ns";            // CPU time in the kernel
inline constexpr const char* kWall = "wall_ns";             // Google Benchmark: time an iteration
inline constexpr const char* kCpu = "cpu_ns";               // Google Benchmark: CPU time likewise
}  // namespace metric

struct Run {
  std::string id;         // unique among runs: <utc>-<suite>-<random>
  std::string suite;      // "startup"
  std::string label;      // free text for a person; empty is fine
  std::string start_utc;  // RFC 3339, "2025-01-31T12:00:00Z"
  std::string end_utc;    // empty in a document saved while the run goes on
  uint64_t seed = 0;      // of the trials' order. REQUIRES: < 2^53, so that JavaScript reads it
  int trials = 0;         // kept trials requested for a target (a target may have its own number)
  int warmups = 0;        // trials before those, kept but marked
  std::string reference;  // name of the target that ratios refer to; empty: none
  std::vector<std::string> command_line;          // of the harness
  std::map<std::string, std::string> parameters;  // what else was the same for all: image, command…
  bool operator==(const Run&) const = default;
};

struct KernelContext {
  std::string release;        // uname -r
  std::string version;        // uname -v
  std::string architecture;   // uname -m
  std::string config_source;  // "/proc/config.gz", "/boot/config-…", or "probed"
  // Selected options: CONFIG_… to "y", "m", "n" or a value. When probed, only what is seen to be
  // there is named ("y").
  std::map<std::string, std::string> config;
  std::vector<std::string> security_modules;  // /sys/kernel/security/lsm, in order
  std::string clock_source;                   // tsc, kvm-clock, hpet…
  bool operator==(const KernelContext&) const = default;
};

struct CpuContext {
  std::string vendor;
  std::string model;
  int logical_count = 0;                           // that this process may run on
  std::vector<std::string> flags;                  // those of interest, in the CPU's order
  std::map<std::string, std::string> mitigations;  // /sys/devices/system/cpu/vulnerabilities
  std::string governor;                            // cpufreq's; empty where there is none
  bool operator==(const CpuContext&) const = default;
};

struct MemoryContext {
  uint64_t total_bytes = 0;
  uint64_t available_bytes = 0;
  uint64_t swap_bytes = 0;
  uint64_t page_bytes = 0;
  bool operator==(const MemoryContext&) const = default;
};

struct StoreContext {
  std::string path;         // where images and containers lie
  std::string file_system;  // of that place: "ext4"
  std::string options;      // its mount options
  bool operator==(const StoreContext&) const = default;
};

// The machine, as far as it can explain a number.
struct Context {
  std::string strata_version;
  std::string build_type;        // "Release"; figures of other builds mislead
  std::string operating_system;  // PRETTY_NAME of os-release
  KernelContext kernel;
  CpuContext cpu;
  MemoryContext memory;
  StoreContext store;
  std::string cgroup_mode;     // "v1", "v2", "hybrid" or "none"
  std::string virtualisation;  // "none", or who runs this machine as a guest ("kvm", "xen", "vm"…)
  double load_average_1m = 0;  // before the run
  bool operator==(const Context&) const = default;
};

// A named piece of time, in the order of execution.
struct Lap {
  std::string step;
  int64_t duration_ns = 0;
  bool operator==(const Lap&) const = default;
};

enum class Availability {
  kRan,      // at least one trial was started
  kSkipped,  // could not run here (not installed, not permitted): `reason` says why
  kFailed,   // its setup failed or no trial succeeded: `reason` says why
};

// What is started: always a separate process, ours no differently from the peers'.
struct Target {
  std::string name;               // "strata", "vm-microvm"
  std::string kind;               // "process", "container" or "vm"; "benchmark" for imported ones
  std::string description;        // one sentence for a reader
  std::string version;            // of the program, as it says itself; empty: unknown
  std::vector<std::string> argv;  // exactly what is executed in each trial
  std::string accelerator;        // VMs: "kvm" or "tcg" (software emulation); else empty
  Availability availability = Availability::kRan;
  std::string reason;      // skipped or failed: why
  int trials = 0;          // requested of this target
  std::vector<Lap> setup;  // done once before all trials (a bundle, a disk): in no sample
  bool operator==(const Target&) const = default;
};

// One trial. None is dropped: not the warm-ups, not the failures, not the outliers.
struct Sample {
  std::string target;
  int round = 0;            // trials of one round stand side by side and are compared in pairs
  int order = 0;            // position among all trials of the run, from 0
  bool warmup = false;      // not part of any aggregate
  int64_t started_ns = 0;   // since the start of the run
  int64_t exit_status = 0;  // 128 + signal when killed
  bool ok = true;           // false: not part of any aggregate; `error` says why
  std::string error;
  std::map<std::string, double> metrics;  // by name with unit, finite; absent: not measured
  std::vector<Lap> laps;                  // steps that the target itself reported; usually none
  bool operator==(const Sample&) const = default;
};

// What a probe saw of one process.
struct ProbeProcess {
  int64_t pid = 0;
  int64_t parent_pid = 0;
  std::string command;             // comm at the end of its life
  int64_t start_ns = 0;            // fork, since the trial's start
  std::optional<int64_t> exec_ns;  // its last execve, if any
  std::optional<int64_t> end_ns;   // exit; absent: outlived the probe
  std::optional<int> exit_status;  // 128 + signal when killed
  bool operator==(const ProbeProcess&) const = default;
};

// A point in time within the trial ("exec /usr/bin/crun").
struct ProbeEvent {
  int64_t at_ns = 0;
  int64_t pid = 0;     // 0: none in particular
  std::string kind;    // "fork", "exec", "exit", "first-byte", a phase …
  std::string detail;  // may be empty
  bool operator==(const ProbeEvent&) const = default;
};

// One bucket of a histogram: `count` values v with low_ns <= v < high_ns.
struct ProbeBucket {
  int64_t low_ns = 0;
  int64_t high_ns = 0;
  uint64_t count = 0;
  bool operator==(const ProbeBucket&) const = default;
};

// Where the time went: a system call, a phase, a kernel function.
struct ProbeCost {
  std::string group;  // "syscall", "phase" …
  std::string name;   // "openat"
  uint64_t count = 0;
  int64_t total_ns = 0;
  std::vector<ProbeBucket> histogram;  // may be empty
  bool operator==(const ProbeCost&) const = default;
};

// A probe's breakdown of one trial of one target. The trial itself is in no aggregate: a probed
// trial pays for the probe.
struct ProbeBreakdown {
  std::string probe;  // "startup"
  std::string target;
  std::vector<ProbeProcess> processes;
  std::vector<ProbeEvent> events;  // by time
  std::vector<ProbeCost> costs;
  bool operator==(const ProbeBreakdown&) const = default;
};

// Anything else than a target that the run went on without.
struct Skip {
  std::string what;  // "probe startup", "metric peak_rss_bytes of podman"
  std::string reason;
  bool operator==(const Skip&) const = default;
};

struct Document {
  int schema_version = kSchemaVersion;
  Run run;
  Context context;
  std::vector<Target> targets;  // in the order asked for
  std::vector<Sample> samples;  // in the order taken
  std::vector<ProbeBreakdown> breakdowns;
  std::vector<Skip> skipped;
  bool operator==(const Document&) const = default;
};

// The target of that name, or nullptr.
[[nodiscard]] const Target* find_target(const Document& document, std::string_view name);

// The document as JSON text, one sample a line, newline at the end.
[[nodiscard]] std::string to_json(const Document& document);

// Reads what to_json() wrote, or the JSON of a Google Benchmark program (--benchmark_format=json),
// whose iterations become samples and whose aggregates are left out. `name` is for messages. EINVAL
// names the field; EPROTONOSUPPORT is a schema of another version. Unknown fields are passed over.
[[nodiscard]] Result<Document> from_json(std::string_view text, std::string_view name);

// The same from a file.
[[nodiscard]] Result<Document> read_document(const std::filesystem::path& path);

// The same for readers of the figures: EINVAL for a document without a single sample.
[[nodiscard]] Result<Document> read_measurements(const std::filesystem::path& path);

// Replaces `path` atomically; parents are created. To be called after every round: what was
// measured must survive a later failure.
[[nodiscard]] Result<void> write_document(const Document& document,
                                          const std::filesystem::path& path);

// "<suite>/<utc>-<label>.json" as results/ is laid out, e.g.
// "startup/20250131T120000Z-laptop.json". What does not belong in a file name becomes '-'; without
// a label: "<suite>/<utc>.json".
[[nodiscard]] std::filesystem::path document_path(const Run& run);

}  // namespace strata::bench
