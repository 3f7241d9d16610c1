#include "runtime/image/config_edit.h"

#include <sys/utsname.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <utility>

#include "unionfs/base/json.h"

namespace strata::image {
namespace {

// Replaces NAME=… in place, so that the order of a list of variables says nothing new.
void set_env(OrderedJson& config, const std::string& name, const std::string& value) {
  OrderedJson& env = config["Env"];
  if (!env.is_array()) env = OrderedJson::array();
  const std::string assignment = name + "=" + value;
  for (auto& old : env) {
    if (!old.is_string() || !old.get_ref<const std::string&>().starts_with(name + "=")) continue;
    old = assignment;
    return;
  }
  env.push_back(assignment);
}

void set_workdir(OrderedJson& config, const std::string& value) {
  const auto it = config.find("WorkingDir");
  const std::filesystem::path old =
      it != config.end() && it->is_string() && !it->get_ref<const std::string&>().empty()
          ? it->get<std::string>()
          : "/";
  config["WorkingDir"] = (old / value).lexically_normal().string();
}

OrderedJson& object_member(OrderedJson& config, const char* name) {
  OrderedJson& member = config[name];
  if (!member.is_object()) member = OrderedJson::object();
  return member;
}

void apply(OrderedJson& config, const ConfigChange& change) {
  switch (change.instruction) {
    case Instruction::kCmd:
      config["Cmd"] = change.words;
      return;
    case Instruction::kEntrypoint:
      // As a Dockerfile does: the inherited CMD was meant for the inherited ENTRYPOINT.
      config["Entrypoint"] = change.words;
      config.erase("Cmd");
      return;
    case Instruction::kEnv:
      for (const auto& [name, value] : change.pairs) set_env(config, name, value);
      return;
    case Instruction::kLabel:
      for (const auto& [name, value] : change.pairs) object_member(config, "Labels")[name] = value;
      return;
    case Instruction::kExpose:
      for (const auto& port : change.words)
        object_member(config, "ExposedPorts")[port] = OrderedJson::object();
      return;
    case Instruction::kVolume:
      for (const auto& path : change.words)
        object_member(config, "Volumes")[path] = OrderedJson::object();
      return;
    case Instruction::kWorkdir:
      set_workdir(config, change.words.front());
      return;
    case Instruction::kUser:
      config["User"] = change.words.front();
      return;
    case Instruction::kStopSignal:
      config["StopSignal"] = change.words.front();
      return;
  }
}

// CMD is applied after ENTRYPOINT, whichever a person gave first.
void apply_all(OrderedJson& config, const std::vector<ConfigChange>& changes) {
  for (const auto& change : changes)
    if (change.instruction != Instruction::kCmd) apply(config, change);
  for (const auto& change : changes)
    if (change.instruction == Instruction::kCmd) apply(config, change);
}

OrderedJson history_entry(const ConfigEdit& edit) {
  OrderedJson entry{{"created", edit.created}, {"created_by", edit.created_by}};
  if (!edit.author.empty()) entry["author"] = edit.author;
  if (!edit.comment.empty()) entry["comment"] = edit.comment;
  return entry;
}

Result<OrderedJson> parse_base(const std::optional<std::string>& base) {
  if (!base)
    return OrderedJson{{"created", ""}, {"architecture", host_architecture()}, {"os", "linux"}};
  try {
    return OrderedJson::parse(*base);
  } catch (const OrderedJson::exception& e) {
    return fail(EINVAL, std::string("configuration of the base: ") + e.what());
  }
}

}  // namespace

Result<std::string> edit_config(const std::optional<std::string>& base, const ConfigEdit& edit) {
  STRATA_TRY(OrderedJson json, parse_base(base));
  if (!json.is_object()) return fail(EINVAL, "configuration of the base: expected an object");
  json["created"] = edit.created;
  if (!edit.author.empty()) json["author"] = edit.author;
  // Docker's own notes on the container that the base was built in: not true of this image.
  for (const char* stale : {"container", "container_config", "id", "parent"}) json.erase(stale);
  apply_all(object_member(json, "config"), edit.changes);
  OrderedJson& rootfs = object_member(json, "rootfs");
  rootfs["type"] = "layers";
  OrderedJson& diff_ids = rootfs["diff_ids"];
  if (!diff_ids.is_array()) diff_ids = OrderedJson::array();
  diff_ids.push_back(edit.diff_id);
  OrderedJson& history = json["history"];
  if (!history.is_array()) history = OrderedJson::array();
  history.push_back(history_entry(edit));
  return json.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

Result<std::vector<ConfigChange>> parse_changes(const std::vector<std::string>& texts) {
  std::vector<ConfigChange> changes;
  for (const auto& text : texts) {
    STRATA_TRY(ConfigChange change, parse_change(text));
    changes.push_back(std::move(change));
  }
  return changes;
}

std::string creation_time() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  if (const char* epoch = std::getenv("SOURCE_DATE_EPOCH"); epoch != nullptr && *epoch != '\0') {
    char* end = nullptr;
    const long long seconds = std::strtoll(epoch, &end, 10);
    if (*end == '\0') now = {static_cast<time_t>(seconds), 0};
  }
  tm utc{};
  ::gmtime_r(&now.tv_sec, &utc);
  std::array<char, 64> date{};
  std::strftime(date.data(), date.size(), "%Y-%m-%dT%H:%M:%S", &utc);
  // Nanoseconds in full width, so that times sort as text.
  std::array<char, 16> fraction{};
  std::snprintf(fraction.data(), fraction.size(), ".%09ldZ", now.tv_nsec);
  return std::string(date.data()) + fraction.data();
}

std::string host_architecture() {
  constexpr std::array kNames{
      std::pair{std::string_view("x86_64"), "amd64"},
      std::pair{std::string_view("aarch64"), "arm64"},
      std::pair{std::string_view("i686"), "386"},
      std::pair{std::string_view("armv7l"), "arm"},
  };
  utsname machine{};
  ::uname(&machine);
  for (const auto& [kernel, oci] : kNames)
    if (kernel == machine.machine) return oci;
  return machine.machine;  // riscv64, ppc64le, s390x, …: the same in both
}

}  // namespace strata::image
