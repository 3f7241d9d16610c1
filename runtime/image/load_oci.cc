#include <algorithm>

#include "runtime/image/config_edit.h"
#include "runtime/image/layer_ingest.h"
#include "runtime/image/load_formats.h"
#include "runtime/image/media_type.h"
#include "runtime/image/new_image.h"
#include "runtime/image/reference.h"

namespace strata::image {
namespace {

// What the archive calls an image. containerd and docker put only the tag into the standard
// annotation and the whole name into one of their own. A name that is none of ours is dropped: the
// image comes in without.
std::vector<std::string> names_in(const IndexEntry& entry) {
  for (const char* key : {kContainerdName, kRefName}) {
    const std::string text = entry.annotation(key);
    if (text.empty()) continue;
    if (const auto reference = parse_new_name(text)) return {reference->str()};
  }
  return {};
}

bool is_for_this_machine(const IndexEntry& entry) {
  return entry.os == "linux" && entry.architecture == host_architecture();
}

bool says_platform(const IndexEntry& entry) {
  return !entry.os.empty() || !entry.architecture.empty();
}

std::string platforms_of(const Index& index) {
  std::string list;
  for (const auto& entry : index)
    list += (list.empty() ? "" : ", ") + entry.os + "/" + entry.architecture;
  return list.empty() ? "none" : list;
}

// The manifest for this machine in a multi-platform image. One level is what registries and
// builders make; deeper nesting is refused.
Result<Descriptor> choose_platform(const ArchiveSpool& spool, const Descriptor& nested) {
  const std::string place = "index " + nested.digest;
  STRATA_TRY(const std::string text, spool.blob_text(nested, kMaxManifestBytes));
  STRATA_TRY(const Index index, parse_index(text, place));
  for (const auto& entry : index) {
    if (is_index_type(entry.target.media_type))
      return fail(ENOTSUP, place + ": an index inside an index inside an index is not supported");
    if (is_for_this_machine(entry)) return entry.target;
  }
  return fail(ENOTSUP, place + ": no image for linux/" + host_architecture() +
                           " (it has: " + platforms_of(index) + ")");
}

struct Wanted {
  Descriptor manifest;
  std::vector<std::string> names;
};

// The images of index.json, each once, with all its names. Where one name stands for several
// platforms, those of other machines are left out.
Result<std::vector<Wanted>> choose_images(const ArchiveSpool& spool) {
  STRATA_TRY(const std::string text, spool.text("index.json", kMaxManifestBytes));
  STRATA_TRY(const Index index, parse_index(text, "index.json"));
  const bool has_ours = std::any_of(index.begin(), index.end(), is_for_this_machine);
  std::vector<Wanted> wanted;
  for (const auto& entry : index) {
    if (has_ours && says_platform(entry) && !is_for_this_machine(entry)) continue;
    Wanted image{entry.target, names_in(entry)};
    if (is_index_type(entry.target.media_type)) {
      STRATA_TRY(image.manifest, choose_platform(spool, entry.target));
    }
    const auto same = std::find_if(wanted.begin(), wanted.end(), [&](const Wanted& other) {
      return other.manifest.digest == image.manifest.digest;
    });
    if (same == wanted.end()) {
      wanted.push_back(std::move(image));
    } else {
      same->names.insert(same->names.end(), image.names.begin(), image.names.end());
    }
  }
  if (wanted.empty()) return fail(EINVAL, "index.json lists no image");
  return wanted;
}

Result<void> stage_image(Staging& staging, const ArchiveSpool& spool, const Wanted& wanted,
                         const LoadOptions& options) {
  const std::string place = "manifest " + wanted.manifest.digest;
  if (!is_manifest_type(wanted.manifest.media_type))
    return fail(ENOTSUP,
                place + ": media type '" + wanted.manifest.media_type + "' is not an image's");
  STRATA_TRY(const std::string text, spool.blob_text(wanted.manifest, kMaxManifestBytes));
  STRATA_TRY(const Manifest manifest, parse_manifest(text, place));
  STRATA_TRY(const std::string config_text, spool.blob_text(manifest.config, kMaxConfigBytes));
  STRATA_TRY(const ParsedConfig config,
             parse_config(config_text, "configuration " + manifest.config.digest));
  const size_t count = manifest.layers.size();
  if (config.diff_ids.size() != count)
    return fail(EBADMSG, place + ": " + std::to_string(count) + " layers, the configuration has " +
                             std::to_string(config.diff_ids.size()));
  if (count == 0) return fail(EINVAL, place + ": an image without layers");
  for (size_t i = 0; i < count; ++i) {
    const LayerInput input{
        .what = "layer " + std::to_string(i + 1) + " of " + std::to_string(count),
        .limits = options.limits,
        .report = options.report};
    STRATA_TRY(const StagedFile* blob, spool.blob(manifest.layers[i]));
    STRATA_CHECK(
        ingest_blob(staging, *blob, manifest.layers[i].media_type, config.diff_ids[i], input));
  }
  STRATA_TRY(const StagedFile* manifest_file, spool.blob(wanted.manifest));
  STRATA_TRY(const StagedFile* config_file, spool.blob(manifest.config));
  staging.add_blob(*manifest_file);
  staging.add_blob(*config_file);
  staging.add_image(
      make_entry(staging, wanted.manifest, manifest.config.digest, config.config, config.diff_ids),
      wanted.names);
  return {};
}

}  // namespace

Result<std::vector<std::string>> stage_oci_archive(Staging& staging, const ArchiveSpool& spool,
                                                   const LoadOptions& options) {
  STRATA_TRY(const auto images, choose_images(spool));
  std::vector<std::string> digests;
  for (const auto& image : images) {
    STRATA_CHECK(stage_image(staging, spool, image, options));
    digests.push_back(image.manifest.digest);
  }
  return digests;
}

}  // namespace strata::image
