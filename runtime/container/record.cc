#include "runtime/container/record.h"

#include "unionfs/base/json.h"

namespace strata::container {
namespace {

// Strings that come from images and command lines may hold any bytes; JSON holds Unicode only.
constexpr auto kReplace = OrderedJson::error_handler_t::replace;

OrderedJson volumes_to_json(const std::vector<Volume>& volumes) {
  OrderedJson array = OrderedJson::array();
  for (const auto& volume : volumes)
    array.push_back({{"source", volume.source},
                     {"destination", volume.destination},
                     {"read_only", volume.read_only}});
  return array;
}

Result<std::vector<Volume>> volumes_from_json(const Json& array, std::string_view name) {
  std::vector<Volume> volumes;
  for (const auto& json : array) {
    Volume volume;
    STRATA_TRY(volume.source, json_get(json, "source", std::string(), name));
    STRATA_TRY(volume.destination, json_get(json, "destination", std::string(), name));
    STRATA_TRY(volume.read_only, json_get(json, "read_only", false, name));
    volumes.push_back(std::move(volume));
  }
  return volumes;
}

template <class T>
void put(OrderedJson& json, const char* key, const std::optional<T>& value) {
  if (value) json[key] = *value;
}

template <class T>
Result<std::optional<T>> get_optional(const Json& json, const char* key, std::string_view name) {
  if (!json.contains(key)) return std::optional<T>();
  STRATA_TRY(const T value, json_get(json, key, T{}, name));
  return std::optional<T>(value);
}

OrderedJson limits_to_json(const oci::Resources& limits) {
  OrderedJson json = OrderedJson::object();
  put(json, "memory_limit", limits.memory_limit);
  put(json, "memory_swap", limits.memory_swap);
  put(json, "cpu_quota", limits.cpu_quota);
  put(json, "cpu_period", limits.cpu_period);
  put(json, "pids_limit", limits.pids_limit);
  return json;
}

Result<oci::Resources> limits_from_json(const Json& json, std::string_view name) {
  oci::Resources limits;
  STRATA_TRY(limits.memory_limit, get_optional<int64_t>(json, "memory_limit", name));
  STRATA_TRY(limits.memory_swap, get_optional<int64_t>(json, "memory_swap", name));
  STRATA_TRY(limits.cpu_quota, get_optional<int64_t>(json, "cpu_quota", name));
  STRATA_TRY(limits.cpu_period, get_optional<uint64_t>(json, "cpu_period", name));
  STRATA_TRY(limits.pids_limit, get_optional<int64_t>(json, "pids_limit", name));
  return limits;
}

}  // namespace

std::string_view network_name(Network network) {
  return network == Network::kHost ? "host" : "none";
}

Result<Network> parse_network(std::string_view name) {
  if (name == "none") return Network::kNone;
  if (name == "host") return Network::kHost;
  return fail(EINVAL, "unknown network '" + std::string(name) + "': there are none and host");
}

std::string to_json(const Record& record) {
  const OrderedJson json{
      {"id", record.id},
      {"name", record.name},
      {"image", {{"id", record.image_id}, {"name", record.image_name}}},
      {"created", record.created},
      {"layers", record.layers},
      {"args", record.args},
      {"env", record.env},
      {"cwd", record.cwd},
      {"user", record.user},
      {"hostname", record.hostname},
      {"stop_signal", record.stop_signal},
      {"network", network_name(record.network)},
      {"volumes", volumes_to_json(record.volumes)},
      {"limits", limits_to_json(record.limits)},
      {"union", unionfs::presenter_name(record.presenter)},
      {"union_reason", record.presenter_reason},
      {"terminal", record.terminal},
      {"open_stdin", record.open_stdin},
      {"auto_remove", record.auto_remove},
      {"read_only", record.read_only},
  };
  return json.dump(-1, ' ', false, kReplace) + "\n";
}

Result<Record> record_from_json(std::string_view text, std::string_view name) {
  using Strings = std::vector<std::string>;
  STRATA_TRY(const Json json, parse_json(text, name));
  if (!json.is_object()) return fail(EINVAL, std::string(name) + ": not a container's record");
  const auto string = [&](const Json& object, const char* key) {
    return json_get(object, key, std::string(), name);
  };
  Record record;
  STRATA_TRY(record.id, string(json, "id"));
  STRATA_TRY(record.name, string(json, "name"));
  STRATA_TRY(const Json image, json_get(json, "image", Json::object(), name));
  STRATA_TRY(record.image_id, string(image, "id"));
  STRATA_TRY(record.image_name, string(image, "name"));
  STRATA_TRY(record.created, string(json, "created"));
  STRATA_TRY(record.layers, json_get(json, "layers", Strings(), name));
  STRATA_TRY(record.args, json_get(json, "args", Strings(), name));
  STRATA_TRY(record.env, json_get(json, "env", Strings(), name));
  STRATA_TRY(record.cwd, string(json, "cwd"));
  STRATA_TRY(record.user, string(json, "user"));
  STRATA_TRY(record.hostname, string(json, "hostname"));
  STRATA_TRY(record.stop_signal, string(json, "stop_signal"));
  STRATA_TRY(const std::string network, string(json, "network"));
  STRATA_TRY(record.network, parse_network(network));
  STRATA_TRY(const Json volumes, json_get(json, "volumes", Json::array(), name));
  STRATA_TRY(record.volumes, volumes_from_json(volumes, name));
  STRATA_TRY(const Json limits, json_get(json, "limits", Json::object(), name));
  STRATA_TRY(record.limits, limits_from_json(limits, name));
  STRATA_TRY(const std::string presenter, json_get(json, "union", std::string("overlay"), name));
  const auto kind = unionfs::parse_presenter(presenter);
  if (!kind) return fail(EINVAL, std::string(name) + ": no union '" + presenter + "'");
  record.presenter = *kind;
  STRATA_TRY(record.presenter_reason, string(json, "union_reason"));
  STRATA_TRY(record.terminal, json_get(json, "terminal", false, name));
  STRATA_TRY(record.open_stdin, json_get(json, "open_stdin", false, name));
  STRATA_TRY(record.auto_remove, json_get(json, "auto_remove", false, name));
  STRATA_TRY(record.read_only, json_get(json, "read_only", false, name));
  return record;
}

}  // namespace strata::container
