#include "runtime/container/state.h"

#include <array>

#include "unionfs/base/json.h"

namespace strata::container {
namespace {

constexpr std::array kRecorded{Status::kCreated, Status::kRunning, Status::kExited};

Result<Status> parse_status(const std::string& text, std::string_view name) {
  for (const Status status : kRecorded)
    if (status_name(status) == text) return status;
  return fail(EINVAL, std::string(name) + ": unknown status '" + text + "'");
}

OrderedJson identity_to_json(const ProcessIdentity& identity) {
  return {
      {"pid", identity.pid}, {"start_ticks", identity.start_ticks}, {"boot_id", identity.boot_id}};
}

Result<ProcessIdentity> identity_from_json(const Json& state, const char* key,
                                           std::string_view name) {
  STRATA_TRY(const Json json, json_get(state, key, Json::object(), name));
  ProcessIdentity identity;
  STRATA_TRY(identity.pid, json_get(json, "pid", pid_t{0}, name));
  STRATA_TRY(identity.start_ticks, json_get(json, "start_ticks", uint64_t{0}, name));
  STRATA_TRY(identity.boot_id, json_get(json, "boot_id", std::string(), name));
  return identity;
}

Result<std::vector<linux::SetupLap>> setup_from_json(const Json& array, std::string_view name) {
  std::vector<linux::SetupLap> laps;
  for (const auto& json : array) {
    linux::SetupLap lap;
    STRATA_TRY(lap.step, json_get(json, "step", std::string(), name));
    STRATA_TRY(const auto ns, json_get(json, "ns", int64_t{0}, name));
    lap.took = std::chrono::nanoseconds(ns);
    laps.push_back(std::move(lap));
  }
  return laps;
}

}  // namespace

std::string_view status_name(Status status) {
  switch (status) {
    case Status::kCreated:
      return "created";
    case Status::kRunning:
      return "running";
    case Status::kExited:
      return "exited";
    case Status::kDead:
      return "dead";
  }
  return "unknown";
}

std::string to_json(const State& state) {
  OrderedJson setup = OrderedJson::array();
  for (const auto& lap : state.setup)
    setup.push_back({{"step", lap.step}, {"ns", lap.took.count()}});
  const OrderedJson json{
      {"status", status_name(state.status)},
      {"process", identity_to_json(state.process)},
      {"monitor", identity_to_json(state.monitor)},
      {"exit_code", state.exit_code},
      {"started", state.started},
      {"finished", state.finished},
      {"oom_killed", state.oom_killed},
      {"error", state.error},
      {"setup", std::move(setup)},
  };
  return json.dump(-1, ' ', false, OrderedJson::error_handler_t::replace) + "\n";
}

Result<State> state_from_json(std::string_view text, std::string_view name) {
  STRATA_TRY(const Json json, parse_json(text, name));
  if (!json.is_object()) return fail(EINVAL, std::string(name) + ": not a container's state");
  State state;
  STRATA_TRY(const auto status, json_get(json, "status", std::string(), name));
  STRATA_TRY(state.status, parse_status(status, name));
  STRATA_TRY(state.process, identity_from_json(json, "process", name));
  STRATA_TRY(state.monitor, identity_from_json(json, "monitor", name));
  STRATA_TRY(state.exit_code, json_get(json, "exit_code", 0, name));
  STRATA_TRY(state.started, json_get(json, "started", std::string(), name));
  STRATA_TRY(state.finished, json_get(json, "finished", std::string(), name));
  STRATA_TRY(state.oom_killed, json_get(json, "oom_killed", false, name));
  STRATA_TRY(state.error, json_get(json, "error", std::string(), name));
  STRATA_TRY(const Json setup, json_get(json, "setup", Json::array(), name));
  STRATA_TRY(state.setup, setup_from_json(setup, name));
  return state;
}

}  // namespace strata::container
