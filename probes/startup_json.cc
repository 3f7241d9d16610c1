// A StartupTrace as JSON; probes/README.md documents the fields.

#include <string>

#include "probes/startup.h"
#include "unionfs/base/json.h"

namespace strata::probes {
namespace {

template <class T>
OrderedJson or_null(const std::optional<T>& value) {
  return value ? OrderedJson(*value) : OrderedJson(nullptr);
}

// Declared before use: array_of() needs them all.
OrderedJson json_of(const Execution& execution);
OrderedJson json_of(const CallSum& sum);
OrderedJson json_of(const TracedProcess& process);
OrderedJson json_of(const Call& call);

template <class T>
OrderedJson array_of(const std::vector<T>& items) {
  OrderedJson array = OrderedJson::array();
  for (const auto& item : items) array.push_back(json_of(item));
  return array;
}

OrderedJson json_of(const Execution& execution) {
  return {{"at_ns", execution.at_ns},
          {"path", execution.path},
          {"arguments", execution.arguments},
          {"arguments_cut", execution.arguments_cut}};
}

OrderedJson json_of(const CallSum& sum) {
  return {{"name", sum.name},
          {"count", sum.count},
          {"errors", sum.errors},
          {"total_ns", sum.total_ns},
          {"max_ns", sum.max_ns}};
}

OrderedJson json_of(const TracedProcess& process) {
  return {{"id", process.id},
          {"parent", process.parent},
          {"pid", process.pid},
          {"own_pid", process.own_pid},
          {"comm", process.comm},
          {"start_ns", process.start_ns},
          {"end_ns", or_null(process.end_ns)},
          {"status", or_null(process.status)},
          {"threads", process.threads},
          {"executions", array_of(process.executions)},
          {"syscalls", array_of(process.calls)}};
}

OrderedJson json_of(const Call& call) {
  return {{"process", call.process},
          {"thread", call.thread},
          {"at_ns", call.at_ns},
          {"duration_ns", call.duration_ns},
          {"name", syscall_name(call.number)},
          {"result", or_null(call.result)}};
}

}  // namespace

std::string to_json(const StartupTrace& trace) {
  OrderedJson json = {
      {"schema", "strata-startup-trace"},
      {"schema_version", kStartupTraceVersion},
      {"command", trace.argv},
      {"status", trace.end.status},
      {"start_error", trace.end.start_error},
      {"origin_ns", trace.origin_ns},
      {"duration_ns", trace.duration_ns},
      {"processes", array_of(trace.processes)},
      {"calls", array_of(trace.calls)},
      {"drops",
       {{"events", trace.drops.events},
        {"calls", trace.drops.calls},
        {"call_sums", trace.drops.call_sums},
        {"tasks", trace.drops.tasks}}},
  };
  // Names and arguments are whatever bytes a process likes.
  return json.dump(2, ' ', false, OrderedJson::error_handler_t::replace) + "\n";
}

}  // namespace strata::probes
