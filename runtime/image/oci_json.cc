#include "runtime/image/oci_json.h"

#include <utility>

#include "runtime/image/digest.h"
#include "runtime/image/media_type.h"
#include "unionfs/base/json.h"

namespace strata::image {
namespace {

using Strings = std::vector<std::string>;
using StringMap = std::map<std::string, std::string>;

constexpr size_t kMaxIndexEntries = 100'000;
constexpr size_t kMaxLayers = 2'000;  // overlayfs takes 500, `copy` and `flat` more

std::string at(std::string_view name, std::string_view member) {
  return std::string(name) + ": " + std::string(member);
}

// Member `key`, which has to be an array of so many entries at most; `null` and absence are an
// empty one: both have no elements.
Result<const Json*> get_array(const Json& json, const char* key, size_t limit,
                              std::string_view name) {
  const Json& array = json_member(json, key);
  if (!array.is_array() && !array.is_null())
    return fail(EINVAL, at(name, key) + ": expected an array");
  if (array.size() > limit)
    return fail(EINVAL, at(name, key) + ": more than " + std::to_string(limit) + " entries");
  return &array;
}

// The names of an object whose values mean nothing ("Volumes": {"/data": {}}).
Result<Strings> get_set(const Json& json, const char* key, std::string_view name) {
  const Json& object = json_member(json, key);
  if (!object.is_object() && !object.is_null())
    return fail(EINVAL, at(name, key) + ": expected an object");
  Strings names;
  for (const auto& item : object.items()) names.push_back(item.key());
  return names;
}

Result<uint64_t> get_size(const Json& json, std::string_view name) {
  // Beyond 2^62 no size is honest, and sums of a few can't overflow below it.
  constexpr uint64_t kMaxSize = uint64_t{1} << 62;
  const auto it = json.find("size");
  if (it == json.end() || !it->is_number_unsigned())
    return fail(EINVAL, at(name, "size") + ": expected a number of bytes");
  const auto size = it->get<uint64_t>();
  if (size > kMaxSize) return fail(EINVAL, at(name, "size") + ": absurdly large");
  return size;
}

Result<Descriptor> parse_descriptor(const Json& json, const std::string& name) {
  if (!json.is_object()) return fail(EINVAL, name + ": expected a descriptor");
  Descriptor descriptor;
  STRATA_TRY(descriptor.media_type, json_get<std::string>(json, "mediaType", "", name));
  STRATA_TRY(descriptor.digest, json_get<std::string>(json, "digest", "", name));
  STRATA_CHECK(check_digest(descriptor.digest, name));
  STRATA_TRY(descriptor.size, get_size(json, name));
  return descriptor;
}

Result<Json> parse_document(std::string_view text, std::string_view name) {
  STRATA_TRY(Json json, parse_json(text, name));
  if (!json.is_object()) return fail(EINVAL, std::string(name) + ": expected an object");
  return json;
}

Result<void> check_schema_version(const Json& json, std::string_view name) {
  STRATA_TRY(const auto version, json_get<int64_t>(json, "schemaVersion", 0, name));
  if (version != 2)
    return fail(ENOTSUP,
                at(name, "schemaVersion") + ": expected 2, found " + std::to_string(version));
  return {};
}

Result<IndexEntry> parse_entry(const Json& json, const std::string& name) {
  IndexEntry entry;
  STRATA_TRY(entry.target, parse_descriptor(json, name));
  const Json& platform = json_member(json, "platform");
  STRATA_TRY(entry.os, json_get<std::string>(platform, "os", "", name));
  STRATA_TRY(entry.architecture, json_get<std::string>(platform, "architecture", "", name));
  STRATA_TRY(entry.annotations, json_get<StringMap>(json, "annotations", {}, name));
  return entry;
}

Result<void> check_layer(const Json& json, const Descriptor& layer, const std::string& name) {
  if (is_foreign_layer_type(layer.media_type) || json.contains("urls"))
    return fail(ENOTSUP,
                name + ": foreign layers, whose content lies elsewhere, are not supported");
  if (!is_layer_type(layer.media_type))
    return fail(ENOTSUP, name + ": unknown media type '" + layer.media_type + "'");
  return {};
}

Result<History> parse_history(const Json& json, const std::string& name) {
  if (!json.is_object()) return fail(EINVAL, name + ": expected an object");
  History history;
  STRATA_TRY(history.created, json_get<std::string>(json, "created", "", name));
  STRATA_TRY(history.created_by, json_get<std::string>(json, "created_by", "", name));
  STRATA_TRY(history.comment, json_get<std::string>(json, "comment", "", name));
  STRATA_TRY(history.empty_layer, json_get<bool>(json, "empty_layer", false, name));
  return history;
}

// The "config" member: what a container of the image is started with.
Result<void> parse_run_config(const Json& json, Config& config, const std::string& name) {
  if (!json.is_object() && !json.is_null()) return fail(EINVAL, name + ": expected an object");
  STRATA_TRY(config.user, json_get<std::string>(json, "User", "", name));
  STRATA_TRY(config.env, json_get<Strings>(json, "Env", {}, name));
  STRATA_TRY(config.entrypoint, json_get<Strings>(json, "Entrypoint", {}, name));
  STRATA_TRY(config.cmd, json_get<Strings>(json, "Cmd", {}, name));
  STRATA_TRY(config.working_dir, json_get<std::string>(json, "WorkingDir", "", name));
  STRATA_TRY(config.stop_signal, json_get<std::string>(json, "StopSignal", "", name));
  STRATA_TRY(config.labels, json_get<StringMap>(json, "Labels", {}, name));
  STRATA_TRY(config.exposed_ports, get_set(json, "ExposedPorts", name));
  STRATA_TRY(config.volumes, get_set(json, "Volumes", name));
  return {};
}

Result<Strings> parse_diff_ids(const Json& config, std::string_view name) {
  const std::string place = at(name, "rootfs");
  const Json& rootfs = json_member(config, "rootfs");
  STRATA_TRY(const auto type, json_get<std::string>(rootfs, "type", "layers", place));
  if (type != "layers") return fail(ENOTSUP, place + ": type '" + type + "' is not 'layers'");
  STRATA_TRY(Strings diff_ids, json_get<Strings>(rootfs, "diff_ids", {}, place));
  if (diff_ids.size() > kMaxLayers) return fail(EINVAL, place + ": too many layers");
  for (const auto& diff_id : diff_ids) STRATA_CHECK(check_digest(diff_id, place + ": diff_ids"));
  return diff_ids;
}

OrderedJson descriptor_to_json(const Descriptor& descriptor) {
  return {{"mediaType", descriptor.media_type},
          {"digest", descriptor.digest},
          {"size", descriptor.size}};
}

std::string dump(const OrderedJson& json) {
  return json.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

}  // namespace

std::string IndexEntry::annotation(const char* key) const {
  const auto it = annotations.find(key);
  return it != annotations.end() ? it->second : std::string();
}

Result<std::vector<IndexEntry>> parse_index(std::string_view text, std::string_view name) {
  STRATA_TRY(const Json json, parse_document(text, name));
  STRATA_CHECK(check_schema_version(json, name));
  STRATA_TRY(const Json* manifests, get_array(json, "manifests", kMaxIndexEntries, name));
  std::vector<IndexEntry> entries;
  entries.reserve(manifests->size());
  for (size_t i = 0; i < manifests->size(); ++i) {
    STRATA_TRY(IndexEntry entry,
               parse_entry((*manifests)[i], at(name, "manifest ") + std::to_string(i)));
    entries.push_back(std::move(entry));
  }
  return entries;
}

Result<Manifest> parse_manifest(std::string_view text, std::string_view name) {
  STRATA_TRY(const Json json, parse_document(text, name));
  STRATA_CHECK(check_schema_version(json, name));
  Manifest manifest;
  STRATA_TRY(manifest.media_type, json_get<std::string>(json, "mediaType", "", name));
  // A document that can be read as two kinds of thing is refused: image-spec, manifest.md.
  if (json.contains("manifests"))
    return fail(EINVAL, std::string(name) + ": both a manifest and an index");
  if (!json.contains("config")) return fail(EINVAL, at(name, "config") + ": missing");
  STRATA_TRY(manifest.config, parse_descriptor(json["config"], at(name, "config")));
  if (!is_config_type(manifest.config.media_type))
    return fail(ENOTSUP, at(name, "config") + ": media type '" + manifest.config.media_type +
                             "' is not an image's");
  STRATA_TRY(const Json* layers, get_array(json, "layers", kMaxLayers, name));
  for (size_t i = 0; i < layers->size(); ++i) {
    const std::string place = at(name, "layer ") + std::to_string(i);
    STRATA_TRY(Descriptor layer, parse_descriptor((*layers)[i], place));
    STRATA_CHECK(check_layer((*layers)[i], layer, place));
    manifest.layers.push_back(std::move(layer));
  }
  return manifest;
}

Result<ParsedConfig> parse_config(std::string_view text, std::string_view name) {
  STRATA_TRY(const Json json, parse_document(text, name));
  ParsedConfig parsed;
  Config& config = parsed.config;
  STRATA_TRY(config.created, json_get<std::string>(json, "created", "", name));
  STRATA_TRY(config.author, json_get<std::string>(json, "author", "", name));
  STRATA_TRY(config.architecture, json_get<std::string>(json, "architecture", "", name));
  STRATA_TRY(config.os, json_get<std::string>(json, "os", "", name));
  STRATA_CHECK(parse_run_config(json_member(json, "config"), config, at(name, "config")));
  STRATA_TRY(const Json* history, get_array(json, "history", kMaxLayers * 10, name));
  for (size_t i = 0; i < history->size(); ++i) {
    STRATA_TRY(History entry,
               parse_history((*history)[i], at(name, "history ") + std::to_string(i)));
    config.history.push_back(std::move(entry));
  }
  STRATA_TRY(parsed.diff_ids, parse_diff_ids(json, name));
  return parsed;
}

std::string index_to_json(const std::vector<IndexEntry>& entries) {
  OrderedJson manifests = OrderedJson::array();
  for (const auto& entry : entries) {
    OrderedJson json = descriptor_to_json(entry.target);
    if (!entry.annotations.empty()) json["annotations"] = entry.annotations;
    if (!entry.os.empty() || !entry.architecture.empty())
      json["platform"] = {{"architecture", entry.architecture}, {"os", entry.os}};
    manifests.push_back(std::move(json));
  }
  return dump({{"schemaVersion", 2}, {"mediaType", kOciIndex}, {"manifests", manifests}});
}

std::string manifest_to_json(const Manifest& manifest) {
  OrderedJson layers = OrderedJson::array();
  for (const auto& layer : manifest.layers) layers.push_back(descriptor_to_json(layer));
  return dump({{"schemaVersion", 2},
               {"mediaType", manifest.media_type},
               {"config", descriptor_to_json(manifest.config)},
               {"layers", layers}});
}

}  // namespace strata::image
