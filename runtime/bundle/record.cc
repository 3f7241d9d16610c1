#include "runtime/bundle/record.h"

#include <filesystem>

#include "runtime/bundle/state_directory.h"
#include "unionfs/base/json.h"

namespace strata::bundle {

std::string to_json(const Record& record) {
  const OrderedJson json{
      {"id", record.id},
      {"bundle", record.bundle},
      {"rootfs", record.rootfs},
      {"created", record.created},
      {"owner", record.owner},
      {"annotations", record.annotations},
      {"cgroup", record.cgroup},
      {"has_hooks", record.has_hooks},
      {"init",
       {{"pid", record.init.pid},
        {"start_ticks", record.init.start_ticks},
        {"boot_id", record.init.boot_id}}},
  };
  return json.dump(-1, ' ', false, OrderedJson::error_handler_t::replace) + "\n";
}

namespace {

// All that is found in that cgroup is killed one day: it had better be one of ours. It may be none.
bool is_plain(const std::string& cgroup) {
  if (cgroup.empty()) return true;
  return cgroup.starts_with('/') && cgroup.size() > 1 &&
         std::filesystem::path(cgroup).lexically_normal() == cgroup;
}

Result<void> check(const Record& record, std::string_view name) {
  const auto nonsense = [&](const char* member) {
    return fail(EINVAL, std::string(name) + ": " + member + ": not what we write");
  };
  if (!check_id(record.id)) return nonsense("id");
  if (!is_plain(record.cgroup)) return nonsense("cgroup");
  if (record.init.pid < 0) return nonsense("init.pid");
  return {};
}

}  // namespace

Result<Record> record_from_json(std::string_view text, std::string_view name) {
  STRATA_TRY(const Json json, parse_json(text, name));
  if (!json.is_object()) return fail(EINVAL, std::string(name) + ": not a container's state");
  Record record;
  STRATA_TRY(record.id, json_get(json, "id", std::string(), name));
  STRATA_TRY(record.bundle, json_get(json, "bundle", std::string(), name));
  STRATA_TRY(record.rootfs, json_get(json, "rootfs", std::string(), name));
  STRATA_TRY(record.created, json_get(json, "created", std::string(), name));
  STRATA_TRY(record.owner, json_get(json, "owner", uint32_t{0}, name));
  STRATA_TRY(record.annotations, json_get(json, "annotations", record.annotations, name));
  STRATA_TRY(record.cgroup, json_get(json, "cgroup", std::string(), name));
  STRATA_TRY(record.has_hooks, json_get(json, "has_hooks", false, name));
  STRATA_TRY(const Json init, json_get(json, "init", Json::object(), name));
  STRATA_TRY(record.init.pid, json_get(init, "pid", pid_t{0}, name));
  STRATA_TRY(record.init.start_ticks, json_get(init, "start_ticks", uint64_t{0}, name));
  STRATA_TRY(record.init.boot_id, json_get(init, "boot_id", std::string(), name));
  STRATA_CHECK(check(record, name));
  return record;
}

}  // namespace strata::bundle
