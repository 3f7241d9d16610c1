#include <fcntl.h>

#include <algorithm>

#include "runtime/image/layer_ingest.h"
#include "runtime/image/load_formats.h"
#include "runtime/image/media_type.h"
#include "runtime/image/new_image.h"
#include "runtime/image/reference.h"
#include "unionfs/base/file.h"
#include "unionfs/base/json.h"

namespace strata::image {
namespace {

using Strings = std::vector<std::string>;

// One element of manifest.json: paths in the archive, layers bottom first.
struct Item {
  std::string config;
  Strings layers;
  Strings names;
};

Result<Item> parse_item(const Json& json, const std::string& place) {
  if (!json.is_object()) return fail(EINVAL, place + ": expected an object");
  Item item;
  STRATA_TRY(item.config, json_get<std::string>(json, "Config", "", place));
  STRATA_TRY(item.layers, json_get<Strings>(json, "Layers", {}, place));
  STRATA_TRY(const auto tags, json_get<Strings>(json, "RepoTags", {}, place));
  if (item.config.empty()) return fail(EINVAL, place + ": Config: missing");
  for (const auto& tag : tags) {
    auto reference = parse_new_name(tag);
    if (!reference) return fail_in(place + ": RepoTags", std::move(reference).error());
    item.names.push_back(reference->str());
  }
  return item;
}

Result<std::vector<Item>> parse_items(const ArchiveSpool& spool) {
  STRATA_TRY(const std::string text, spool.text("manifest.json", kMaxManifestBytes));
  STRATA_TRY(const Json json, parse_json(text, "manifest.json"));
  if (!json.is_array() || json.empty())
    return fail(EINVAL, "manifest.json: expected an array of images");
  std::vector<Item> items;
  for (size_t i = 0; i < json.size(); ++i) {
    STRATA_TRY(Item item, parse_item(json[i], "manifest.json: image " + std::to_string(i)));
    items.push_back(std::move(item));
  }
  return items;
}

// The blob for a layer: one that the store knows already, or the tar compressed anew.
Result<Descriptor> stage_layer(Staging& staging, const ArchiveSpool& spool, const std::string& path,
                               const std::string& diff_id, const LayerInput& input) {
  STRATA_TRY(const StagedFile* file, spool.get(path));
  // A plain tar's own digest is its diff_id: what the store has needs no second look.
  if (file->digest == diff_id && staging.has_layer(diff_id)) {
    if (const Descriptor* known = staging.known_blob(diff_id)) return *known;
  }
  STRATA_TRY(const UniqueFd fd, open_file(file->path, O_RDONLY));
  FdSource tar(fd.get(), path);
  STRATA_TRY(const StagedLayer layer, ingest_tar(staging, tar, Compression::kZstd, input, diff_id));
  return layer.blob;
}

Result<std::string> stage_image(Staging& staging, const ArchiveSpool& spool, const Item& item,
                                const LoadOptions& options) {
  STRATA_TRY(const StagedFile* config_file, spool.get(item.config));
  STRATA_TRY(const std::string config_text, spool.text(item.config, kMaxConfigBytes));
  STRATA_TRY(const ParsedConfig config, parse_config(config_text, item.config));
  const size_t count = item.layers.size();
  if (config.diff_ids.size() != count)
    return fail(EBADMSG, item.config + ": " + std::to_string(config.diff_ids.size()) +
                             " layers, manifest.json has " + std::to_string(count));
  if (count == 0) return fail(EINVAL, item.config + ": an image without layers");
  Manifest manifest{.media_type = std::string(kOciManifest),
                    .config = {std::string(kOciConfig), config_file->digest, config_file->size}};
  for (size_t i = 0; i < count; ++i) {
    const LayerInput input{
        .what = "layer " + std::to_string(i + 1) + " of " + std::to_string(count),
        .limits = options.limits,
        .report = options.report};
    STRATA_TRY(Descriptor blob,
               stage_layer(staging, spool, item.layers[i], config.diff_ids[i], input));
    blob.media_type = oci_layer_type(blob.media_type);
    manifest.layers.push_back(std::move(blob));
  }
  staging.add_blob(*config_file);
  STRATA_TRY(const Descriptor target,
             staging.add_text_blob(kOciManifest, manifest_to_json(manifest)));
  staging.add_image(
      make_entry(staging, target, manifest.config.digest, config.config, config.diff_ids),
      item.names);
  return target.digest;
}

}  // namespace

Result<std::vector<std::string>> stage_docker_archive(Staging& staging, const ArchiveSpool& spool,
                                                      const LoadOptions& options) {
  STRATA_TRY(const auto items, parse_items(spool));
  std::vector<std::string> digests;
  for (const auto& item : items) {
    STRATA_TRY(std::string digest, stage_image(staging, spool, item, options));
    if (std::find(digests.begin(), digests.end(), digest) == digests.end())
      digests.push_back(std::move(digest));
  }
  return digests;
}

}  // namespace strata::image
