#include "runtime/image/new_image.h"

#include "runtime/image/config_edit.h"
#include "runtime/image/media_type.h"
#include "runtime/image/reference.h"
#include "unionfs/base/file.h"

namespace strata::image {
namespace {

// The base's layers, which the new image shares, in the OCI's words.
Result<std::vector<Descriptor>> share_layers(Staging& staging, const Image& base) {
  std::vector<Descriptor> blobs;
  for (const auto& layer : base.layers) {
    if (!staging.has_layer(layer.diff_id) || !staging.has_blob(layer.blob.digest))
      return fail(EBADMSG, "image " + base.id + ": its layer " + layer.diff_id +
                               " is missing ('strata fsck --repair' may restore it)");
    blobs.push_back(layer.blob);
    blobs.back().media_type = oci_layer_type(layer.blob.media_type);
  }
  return blobs;
}

Result<std::optional<std::string>> base_config(const Staging& staging,
                                               const std::optional<Image>& base) {
  if (!base) return std::optional<std::string>();
  STRATA_TRY(std::string text, read_file(staging.store().blob_path(base->id), kMaxConfigBytes));
  return std::optional(std::move(text));
}

}  // namespace

Result<std::string> check_request(const std::string& name, const Authoring& authoring) {
  STRATA_CHECK(parse_changes(authoring.changes));
  STRATA_TRY(const Reference reference, parse_new_name(name));
  return reference.str();
}

Result<Image> publish_new_image(Staging& staging, const NewImage& image, const StagedLayer& layer) {
  Manifest manifest{.media_type = std::string(kOciManifest)};
  if (image.base) {
    STRATA_TRY(manifest.layers, share_layers(staging, *image.base));
  }
  manifest.layers.push_back(layer.blob);

  ConfigEdit edit{.created = creation_time(),
                  .author = image.authoring.author,
                  .created_by = image.created_by,
                  .comment = image.authoring.message,
                  .diff_id = layer.diff_id};
  STRATA_TRY(edit.changes, parse_changes(image.authoring.changes));
  STRATA_TRY(const auto base_text, base_config(staging, image.base));
  STRATA_TRY(const std::string config_text, edit_config(base_text, edit));
  // Read back by the same rules as a stranger's: what we write, we can read.
  STRATA_TRY(const ParsedConfig config, parse_config(config_text, "new configuration"));
  STRATA_TRY(manifest.config, staging.add_text_blob(kOciConfig, config_text));
  STRATA_TRY(const Descriptor target,
             staging.add_text_blob(kOciManifest, manifest_to_json(manifest)));
  staging.add_image(
      make_entry(staging, target, manifest.config.digest, config.config, config.diff_ids),
      {image.name});
  STRATA_CHECK(staging.publish());
  return staging.store().get(target.digest);
}

IndexEntry make_entry(const Staging& staging, const Descriptor& manifest,
                      const std::string& image_id, const Config& config,
                      const std::vector<std::string>& diff_ids) {
  std::string sizes;
  for (const auto& diff_id : diff_ids)
    sizes += (sizes.empty() ? "" : ",") + std::to_string(staging.layer_size(diff_id));
  return IndexEntry{.target = manifest,
                    .os = config.os,
                    .architecture = config.architecture,
                    .annotations = {{kImageId, image_id}, {kLayerSizes, sizes}}};
}

}  // namespace strata::image
