#include "runtime/container/inspect.h"

#include "unionfs/base/json.h"

namespace strata::container {
namespace {

OrderedJson config_to_json(const Record& record) {
  return {{"env", record.env},
          {"working_dir", record.cwd},
          {"user", record.user},
          {"hostname", record.hostname},
          {"stop_signal", record.stop_signal},
          {"network", network_name(record.network)},
          {"union", unionfs::presenter_name(record.presenter)},
          {"union_reason", record.presenter_reason},
          {"terminal", record.terminal},
          {"stdin", record.open_stdin},
          {"auto_remove", record.auto_remove},
          {"read_only", record.read_only}};
}

OrderedJson state_to_json(const State& state) {
  return {{"status", status_name(state.status)},
          {"pid", state.can_exec() ? state.process.pid : 0},
          {"exit_code", state.exit_code},
          {"started", state.started},
          {"finished", state.finished},
          {"oom_killed", state.oom_killed},
          {"error", state.error}};
}

OrderedJson mounts_to_json(const std::vector<Volume>& volumes) {
  OrderedJson mounts = OrderedJson::array();
  for (const auto& volume : volumes)
    mounts.push_back({{"source", volume.source},
                      {"destination", volume.destination},
                      {"options", OrderedJson::array({volume.read_only ? "ro" : "rw"})}});
  return mounts;
}

OrderedJson setup_to_json(const std::vector<linux::SetupLap>& setup) {
  OrderedJson laps = OrderedJson::array();
  for (const auto& lap : setup) laps.push_back({{"step", lap.step}, {"ns", lap.took.count()}});
  return laps;
}

}  // namespace

Result<std::string> container_to_json(const Container& container) {
  STRATA_TRY(const State state, container.state());
  const Record& record = container.record();
  const Files& files = container.files();
  const OrderedJson json{
      {"kind", "container"},
      {"id", record.id},
      {"name", record.name},
      {"image", {{"id", record.image_id}, {"name", record.image_name}}},
      {"created", record.created},
      {"command", record.args},
      {"config", config_to_json(record)},
      {"state", state_to_json(state)},
      {"mounts", mounts_to_json(record.volumes)},
      {"upper", files.upper().native()},
      {"log", files.log().native()},
      {"bundle", files.dir().native()},
      {"setup", setup_to_json(state.setup)},
  };
  return json.dump(2, ' ', false, OrderedJson::error_handler_t::replace);
}

}  // namespace strata::container
