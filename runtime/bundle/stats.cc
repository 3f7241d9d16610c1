#include "runtime/bundle/stats.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <optional>
#include <string_view>

#include "unionfs/base/file.h"
#include "unionfs/base/json.h"

namespace strata::bundle {
namespace {

using Directory = linux::Cgroup::Directory;

// The files of one controller, wherever it is.
class Files {
 public:
  explicit Files(const Directory* directory) : directory_(directory) {}

  [[nodiscard]] bool unified() const { return directory_ != nullptr && directory_->unified; }

  [[nodiscard]] std::string text(const char* file) const {
    if (directory_ == nullptr) return {};
    return read_file(std::filesystem::path(directory_->path) / file).value_or(std::string());
  }

  // "max" is what v1 calls no limit: the largest number.
  [[nodiscard]] uint64_t number(const char* file) const {
    const std::string content = text(file);
    if (content.starts_with("max")) return UINT64_MAX;
    uint64_t value = 0;
    std::from_chars(content.data(), content.data() + content.size(), value);
    return value;
  }

  // A flat keyed file.
  [[nodiscard]] OrderedJson table(const char* file) const {
    OrderedJson json = OrderedJson::object();
    const std::string content = text(file);
    std::string_view rest = content;
    while (!rest.empty()) {
      const auto line = rest.substr(0, rest.find('\n'));
      rest.remove_prefix(std::min(line.size() + 1, rest.size()));
      const auto space = line.find(' ');
      uint64_t value = 0;
      if (space == std::string_view::npos) continue;
      if (std::from_chars(line.data() + space + 1, line.data() + line.size(), value).ec ==
          std::errc())
        json[std::string(line.substr(0, space))] = value;
    }
    return json;
  }

 private:
  const Directory* directory_;
};

Files find(const linux::Cgroup& cgroup, std::string_view controller) {
  const Directory* found = nullptr;
  for (const auto& directory : cgroup.directories()) {
    if (directory.unified && found == nullptr) found = &directory;
    for (const auto& own : directory.controllers)
      if (own == controller) return Files(&directory);
  }
  return Files(found);
}

uint64_t value_in(const OrderedJson& table, const char* key) {
  return table.contains(key) ? table[key].get<uint64_t>() : 0;
}

OrderedJson cpu_stats(const linux::Cgroup& cgroup) {
  const Files usage = find(cgroup, "cpuacct");
  constexpr uint64_t kNanoseconds = 1000;
  OrderedJson json;
  if (usage.unified()) {
    const auto stat = usage.table("cpu.stat");
    json["usage"] = {{"total", value_in(stat, "usage_usec") * kNanoseconds},
                     {"kernel", value_in(stat, "system_usec") * kNanoseconds},
                     {"user", value_in(stat, "user_usec") * kNanoseconds}};
  } else {
    json["usage"] = {{"total", usage.number("cpuacct.usage")},
                     {"kernel", usage.number("cpuacct.usage_sys")},
                     {"user", usage.number("cpuacct.usage_user")}};
  }
  const auto throttled = find(cgroup, "cpu").table("cpu.stat");
  json["throttling"] = OrderedJson::object();
  if (throttled.contains("nr_periods")) {
    json["throttling"] = {
        {"periods", value_in(throttled, "nr_periods")},
        {"throttledPeriods", value_in(throttled, "nr_throttled")},
        {"throttledTime", throttled.contains("throttled_time")
                              ? value_in(throttled, "throttled_time")
                              : value_in(throttled, "throttled_usec") * kNanoseconds}};
  }
  return json;
}

OrderedJson memory_entry(uint64_t limit, uint64_t usage, uint64_t max, uint64_t failures) {
  return {{"limit", limit}, {"usage", usage}, {"max", max}, {"failcnt", failures}};
}

OrderedJson memory_stats(const linux::Cgroup& cgroup) {
  const Files files = find(cgroup, "memory");
  const auto stat = files.table("memory.stat");
  OrderedJson json;
  if (files.unified()) {
    json["cache"] = value_in(stat, "file");
    json["usage"] =
        memory_entry(files.number("memory.max"), files.number("memory.current"),
                     files.number("memory.peak"), value_in(files.table("memory.events"), "max"));
    json["swap"] =
        memory_entry(files.number("memory.swap.max"), files.number("memory.swap.current"), 0, 0);
  } else {
    const auto entry = [&](const std::string& prefix) {
      const auto number = [&](const char* name) { return files.number((prefix + name).c_str()); };
      return memory_entry(number("limit_in_bytes"), number("usage_in_bytes"),
                          number("max_usage_in_bytes"), number("failcnt"));
    };
    json["cache"] = value_in(stat, "total_cache");
    json["usage"] = entry("memory.");
    json["swap"] = entry("memory.memsw.");
    json["kernel"] = entry("memory.kmem.");
    json["kernelTCP"] = entry("memory.kmem.tcp.");
  }
  json["raw"] = stat;
  return json;
}

std::string event(const char* type, const std::string& id, const OrderedJson* data) {
  OrderedJson json{{"type", type}, {"id", id}};
  if (data != nullptr) json["data"] = *data;
  return json.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

}  // namespace

std::string stats_event(const std::string& id, const linux::Cgroup& cgroup) {
  const Files pids = find(cgroup, "pids");
  const uint64_t limit = pids.number("pids.max");
  OrderedJson data{{"cpu", cpu_stats(cgroup)},
                   {"memory", memory_stats(cgroup)},
                   {"pids", {{"current", pids.number("pids.current")}}},
                   {"blkio", OrderedJson::object()},
                   {"hugetlb", OrderedJson::object()},
                   {"intel_rdt", OrderedJson::object()},
                   {"network_interfaces", nullptr}};
  if (limit != UINT64_MAX && limit != 0) data["pids"]["limit"] = limit;
  return event("stats", id, &data);
}

std::string oom_event(const std::string& id) {
  return event("oom", id, nullptr);
}

}  // namespace strata::bundle
