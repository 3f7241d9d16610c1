#include "tests/bench/sample_document.h"

#include <cmath>
#include <random>
#include <string>
#include <utility>

namespace strata::bench::testing {
namespace {

struct Kind {
  const char* name;
  const char* kind;
  const char* accelerator;
  double first_byte_ms;
  double exit_ms;
  double peak_mb;
  int trials;
  std::vector<std::string> argv;
};

const std::vector<Kind>& kinds() {
  static const std::vector<Kind> kAll{
      {"process", "process", "", 0.52, 0.71, 3.4, 60, {"/bin/echo", "started"}},
      {"floor", "container", "", 1.31, 1.66, 1.1, 60, {"strata-bench-floor", "--", "/bin/echo"}},
      {"strata", "container", "", 3.9, 4.6, 5.8, 60, {"strata", "run", "--rm", "debian:bookworm"}},
      {"strata-detached", "container", "", 4.1, 3.7, 5.8, 60, {"strata", "run", "-d", "debian"}},
      {"bubblewrap", "container", "", 2.6, 3.1, 3.9, 60, {"bwrap", "--unshare-all", "echo"}},
      {"crun", "container", "", 5.2, 5.9, 3.7, 60, {"crun", "run", "-b", "bundle", "x"}},
      {"runc", "container", "", 14.1, 18.2, 17.5, 60, {"runc", "run", "-b", "bundle", "x"}},
      {"podman", "container", "", 173, 214, 49, 20, {"podman", "run", "--rm", "debian"}},
      {"vm-microvm", "vm", "tcg", 1240, 1410, 262, 3, {"strata", "vm", "run", "--accel", "tcg"}},
      {"vm-q35", "vm", "tcg", 3120, 3380, 287, 3, {"strata", "vm", "run", "--machine", "q35"}},
  };
  return kAll;
}

void add_machine(Document& document) {
  Context& context = document.context;
  context = {.strata_version = "0.1.0",
             .build_type = "Release",
             .operating_system = "Debian GNU/Linux 12 (bookworm)",
             .cgroup_mode = "hybrid",
             .virtualisation = "kvm",
             .load_average_1m = 0.42};
  context.kernel = {.release = "6.18.5",
                    .version = "#1 SMP PREEMPT_DYNAMIC Tue Jan 20 10:00:00 UTC 2026",
                    .architecture = "x86_64",
                    .config_source = "/proc/config.gz",
                    .config = {{"CONFIG_OVERLAY_FS", "y"}, {"CONFIG_HZ", "250"}},
                    .security_modules = {"capability", "bpf"},
                    .clock_source = "kvm-clock"};
  context.cpu = {
      .vendor = "AuthenticAMD",
      .model = "AMD EPYC 9B14",
      .logical_count = 2,
      .flags = {"hypervisor", "constant_tsc"},
      .mitigations = {{"spectre_v2", "Mitigation: Retpolines"}, {"meltdown", "Not affected"}},
      .governor = ""};
  context.memory = {.total_bytes = 8'237'000'000,
                    .available_bytes = 6'120'000'000,
                    .swap_bytes = 0,
                    .page_bytes = 4096};
  context.store = {.path = "/var/lib/strata", .file_system = "ext4", .options = "rw,relatime"};
}

void add_targets(Document& document) {
  for (const auto& kind : kinds()) {
    Target target;
    target.name = kind.name;
    target.kind = kind.kind;
    target.description = "The image's command, started by " + std::string(kind.name) + ".";
    target.version = "1.2.3";
    target.argv = kind.argv;
    target.accelerator = kind.accelerator;
    target.trials = kind.trials;
    target.setup = {{"setup", 1'234'567}};
    document.targets.push_back(std::move(target));
  }
  Target skipped;
  skipped.name = "kvm-floor";
  skipped.kind = "vm";
  skipped.availability = Availability::kSkipped;
  skipped.reason = "/dev/kvm: Permission denied";
  document.targets.push_back(skipped);
  Target failed;
  failed.name = "docker";
  failed.kind = "container";
  failed.argv = {"docker", "run", "--rm", "debian:bookworm"};
  failed.availability = Availability::kFailed;
  failed.reason = "stopped after 3 failed trials: exit status 125";
  document.targets.push_back(failed);
}

Sample make_sample(const Kind& kind, int round, double noise, double scale) {
  Sample sample;
  sample.target = kind.name;
  sample.round = round;
  sample.warmup = round < 2 && kind.trials > 3;
  const double exit_ns = std::round(kind.exit_ms * 1e6 * noise * scale);
  sample.metrics = {
      {metric::kFirstByte, std::round(kind.first_byte_ms * 1e6 * noise * scale)},
      {metric::kExit, exit_ns},
      {metric::kPeakRss, std::round(kind.peak_mb * 1e6 / 4096 * (0.98 + noise / 50)) * 4096},
      {metric::kUser, std::round(exit_ns * 0.2)},
      {metric::kSystem, std::round(exit_ns * 0.5)}};
  if (sample.target == "strata")
    sample.laps = {{"clone", static_cast<int64_t>(exit_ns / 5)},
                   {"mounts", static_cast<int64_t>(exit_ns / 3)}};
  return sample;
}

void add_samples(Document& document, uint64_t seed, double scale) {
  std::mt19937_64 random(seed);
  // Skewed, as such times are: a floor and a tail.
  const auto noise = [&] {
    const double u = static_cast<double>(random() >> 11U) / 9007199254740992.0;
    return 0.96 + 0.05 * -std::log1p(-u);
  };
  int64_t clock = 0;
  constexpr int kRounds = 62;
  for (int round = 0; round < kRounds; ++round) {
    for (const auto& kind : kinds()) {
      if (kind.trials < 60 && (round > 60 || round % (60 / kind.trials) != 1)) continue;
      double factor = noise();
      if (round == 40 && std::string(kind.name) == "crun") factor *= 5;   // an outlier
      if (round > 35 && std::string(kind.name) == "runc") factor *= 1.2;  // a drift
      Sample sample = make_sample(kind, round, factor, scale);
      sample.order = static_cast<int>(document.samples.size());
      sample.started_ns = clock;
      clock += static_cast<int64_t>(sample.metrics[metric::kExit]) + 2'000'000;
      if (round % 25 == 24 && sample.target == "podman") {
        sample.ok = false;
        sample.exit_status = 126;
        sample.error = "exit status 126";
      }
      document.samples.push_back(std::move(sample));
    }
  }
  for (int i = 0; i < 3; ++i) {
    Sample sample;
    sample.target = "docker";
    sample.round = i;
    sample.order = static_cast<int>(document.samples.size());
    sample.started_ns = clock;
    sample.exit_status = 125;
    sample.ok = false;
    sample.error = "exit status 125";
    document.samples.push_back(std::move(sample));
  }
}

void add_breakdown(Document& document) {
  ProbeBreakdown breakdown{.probe = "startup", .target = "crun"};
  breakdown.processes = {{.pid = 4001,
                          .parent_pid = 4000,
                          .command = "crun",
                          .start_ns = 0,
                          .exec_ns = 0,
                          .end_ns = 6'900'000,
                          .exit_status = 0},
                         {.pid = 4002,
                          .parent_pid = 4001,
                          .command = "crun",
                          .start_ns = 1'300'000,
                          .end_ns = 2'100'000,
                          .exit_status = 0},
                         {.pid = 4003,
                          .parent_pid = 4001,
                          .command = "echo",
                          .start_ns = 1'900'000,
                          .exec_ns = 5'400'000,
                          .end_ns = 6'100'000,
                          .exit_status = 0}};
  breakdown.events = {{.at_ns = 0, .pid = 4001, .kind = "exec", .detail = "crun run x"},
                      {.at_ns = 5'400'000, .pid = 4003, .kind = "exec", .detail = "/bin/echo"},
                      {.at_ns = 5'900'000, .pid = 4003, .kind = "first-byte", .detail = ""}};
  const std::vector<std::pair<const char*, int64_t>> calls{
      {"clone3", 812'000}, {"mount", 640'000},  {"openat", 512'000}, {"write", 403'000},
      {"mmap", 211'000},   {"execve", 190'000}, {"read", 150'000},   {"close", 61'000}};
  uint64_t count = 3;
  for (const auto& [name, total] : calls) {
    ProbeCost cost{.group = "syscall", .name = name, .count = count, .total_ns = total};
    cost.histogram = {{.low_ns = 1024, .high_ns = 2048, .count = count}};
    breakdown.costs.push_back(std::move(cost));
    count = count * 2 % 97 + 1;
  }
  document.breakdowns.push_back(std::move(breakdown));
}

}  // namespace

Document sample_document(uint64_t seed, double scale) {
  Document document;
  document.run = {.id = "2026-01-31T12:00:00Z-startup-" + std::to_string(seed),
                  .suite = "startup",
                  .label = "sample " + std::to_string(seed),
                  .start_utc = "2026-01-31T12:00:00Z",
                  .end_utc = "2026-01-31T12:01:10Z",
                  .seed = seed,
                  .trials = 60,
                  .warmups = 2,
                  .reference = "crun",
                  .command_line = {"strata-bench", "run", "startup", "--label", "sample"},
                  .parameters = {{"image", "debian:bookworm"}, {"command", "/bin/echo started"}}};
  add_machine(document);
  add_targets(document);
  add_samples(document, seed, scale);
  add_breakdown(document);
  document.skipped = {{"probe startup of podman", "the trace buffer was full"}};
  return document;
}

}  // namespace strata::bench::testing
