// The fields of a result document, named once for both directions: an archive that writes and one
// that reads go over the same list, so that neither can forget what the other knows.
//
// archive.must(name, field)   always written; its absence is an error on reading
// archive.may(name, field)    left out when it is empty, zero or false; then the default on reading
#pragma once

#include <concepts>
#include <type_traits>

#include "bench/result.h"

namespace strata::bench {

template <class T, class Struct>
concept Is = std::same_as<std::remove_const_t<T>, Struct>;

template <Is<Run> T>
void describe(auto& archive, T& run) {
  archive.must("id", run.id);
  archive.must("suite", run.suite);
  archive.may("label", run.label);
  archive.must("start_utc", run.start_utc);
  archive.may("end_utc", run.end_utc);
  archive.must("seed", run.seed);
  archive.must("trials", run.trials);
  archive.may("warmups", run.warmups);
  archive.may("reference", run.reference);
  archive.must("command_line", run.command_line);
  archive.may("parameters", run.parameters);
}

template <Is<KernelContext> T>
void describe(auto& archive, T& kernel) {
  archive.must("release", kernel.release);
  archive.must("version", kernel.version);
  archive.must("architecture", kernel.architecture);
  archive.may("config_source", kernel.config_source);
  archive.may("config", kernel.config);
  archive.may("security_modules", kernel.security_modules);
  archive.may("clock_source", kernel.clock_source);
}

template <Is<CpuContext> T>
void describe(auto& archive, T& cpu) {
  archive.may("vendor", cpu.vendor);
  archive.may("model", cpu.model);
  archive.must("logical_count", cpu.logical_count);
  archive.may("flags", cpu.flags);
  archive.may("mitigations", cpu.mitigations);
  archive.may("governor", cpu.governor);
}

template <Is<MemoryContext> T>
void describe(auto& archive, T& memory) {
  archive.may("total_bytes", memory.total_bytes);
  archive.may("available_bytes", memory.available_bytes);
  archive.may("swap_bytes", memory.swap_bytes);
  archive.may("page_bytes", memory.page_bytes);
}

template <Is<StoreContext> T>
void describe(auto& archive, T& store) {
  archive.may("path", store.path);
  archive.may("file_system", store.file_system);
  archive.may("options", store.options);
}

template <Is<Context> T>
void describe(auto& archive, T& context) {
  archive.may("strata_version", context.strata_version);
  archive.may("build_type", context.build_type);
  archive.may("operating_system", context.operating_system);
  archive.must("kernel", context.kernel);
  archive.must("cpu", context.cpu);
  archive.must("memory", context.memory);
  archive.may("store", context.store);
  archive.may("cgroup_mode", context.cgroup_mode);
  archive.may("virtualisation", context.virtualisation);
  archive.may("load_average_1m", context.load_average_1m);
}

template <Is<Lap> T>
void describe(auto& archive, T& lap) {
  archive.must("step", lap.step);
  archive.must("duration_ns", lap.duration_ns);
}

template <Is<Target> T>
void describe(auto& archive, T& target) {
  archive.must("name", target.name);
  archive.must("kind", target.kind);
  archive.may("description", target.description);
  archive.may("version", target.version);
  archive.must("argv", target.argv);
  archive.may("accelerator", target.accelerator);
  archive.must("availability", target.availability);
  archive.may("reason", target.reason);
  archive.may("trials", target.trials);
  archive.may("setup", target.setup);
}

template <Is<Sample> T>
void describe(auto& archive, T& sample) {
  archive.must("target", sample.target);
  archive.must("round", sample.round);
  archive.must("order", sample.order);
  archive.may("warmup", sample.warmup);
  archive.must("started_ns", sample.started_ns);
  archive.must("exit_status", sample.exit_status);
  archive.must("ok", sample.ok);
  archive.may("error", sample.error);
  archive.must("metrics", sample.metrics);
  archive.may("laps", sample.laps);
}

template <Is<ProbeProcess> T>
void describe(auto& archive, T& process) {
  archive.must("pid", process.pid);
  archive.may("parent_pid", process.parent_pid);
  archive.must("command", process.command);
  archive.must("start_ns", process.start_ns);
  archive.may("exec_ns", process.exec_ns);
  archive.may("end_ns", process.end_ns);
  archive.may("exit_status", process.exit_status);
}

template <Is<ProbeEvent> T>
void describe(auto& archive, T& event) {
  archive.must("at_ns", event.at_ns);
  archive.may("pid", event.pid);
  archive.must("kind", event.kind);
  archive.may("detail", event.detail);
}

template <Is<ProbeBucket> T>
void describe(auto& archive, T& bucket) {
  archive.must("low_ns", bucket.low_ns);
  archive.must("high_ns", bucket.high_ns);
  archive.must("count", bucket.count);
}

template <Is<ProbeCost> T>
void describe(auto& archive, T& cost) {
  archive.must("group", cost.group);
  archive.must("name", cost.name);
  archive.must("count", cost.count);
  archive.must("total_ns", cost.total_ns);
  archive.may("histogram", cost.histogram);
}

template <Is<ProbeBreakdown> T>
void describe(auto& archive, T& breakdown) {
  archive.must("probe", breakdown.probe);
  archive.must("target", breakdown.target);
  archive.may("processes", breakdown.processes);
  archive.may("events", breakdown.events);
  archive.may("costs", breakdown.costs);
}

template <Is<Skip> T>
void describe(auto& archive, T& skip) {
  archive.must("what", skip.what);
  archive.must("reason", skip.reason);
}

template <Is<Document> T>
void describe(auto& archive, T& document) {
  archive.must("schema_version", document.schema_version);
  archive.must("run", document.run);
  archive.must("context", document.context);
  archive.must("targets", document.targets);
  archive.must("samples", document.samples);
  archive.may("breakdowns", document.breakdowns);
  archive.may("skipped", document.skipped);
}

}  // namespace strata::bench
