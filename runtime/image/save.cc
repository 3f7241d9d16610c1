#include "runtime/image/save.h"

#include <fcntl.h>

#include <algorithm>
#include <map>
#include <set>

#include "runtime/image/digest.h"
#include "runtime/image/media_type.h"
#include "runtime/image/oci_json.h"
#include "runtime/image/pipeline.h"
#include "runtime/image/reference.h"
#include "runtime/image/staging.h"
#include "runtime/image/tar_output.h"
#include "runtime/image/workspace.h"
#include "unionfs/base/file.h"
#include "unionfs/base/json.h"

namespace strata::image {
namespace {

// An image to be written, with the names that it gets in the archive.
struct Chosen {
  Image image;
  std::vector<std::string> names;
};

Result<std::vector<Chosen>> choose(const Store& store, const std::vector<std::string>& references) {
  std::vector<Chosen> all;
  for (const auto& reference : references) {
    STRATA_TRY(Image image, store.get(reference));
    std::vector<std::string> names = image.names;
    if (const auto name = parse_reference(reference);
        name && std::find(names.begin(), names.end(), name->str()) != names.end())
      names = {name->str()};
    const auto same = std::find_if(all.begin(), all.end(), [&](const Chosen& other) {
      return other.image.manifest.digest == image.manifest.digest;
    });
    if (same == all.end()) {
      all.push_back({std::move(image), std::move(names)});
      continue;
    }
    for (auto& name : names)
      if (std::find(same->names.begin(), same->names.end(), name) == same->names.end())
        same->names.push_back(std::move(name));
  }
  return all;
}

// Writes one archive; what is shared goes in once.
class Saver {
 public:
  Saver(const Store& store, Workspace& workspace, ByteSink& out, const SaveOptions& options)
      : store_(store), workspace_(workspace), tar_(out), options_(options) {}

  Result<void> save_oci(const std::vector<Chosen>& images);
  Result<void> save_docker(const std::vector<Chosen>& images);

 private:
  Result<void> add_stored(const std::string& path, const Descriptor& blob, std::string what);
  Result<std::string> read_config(const Image& image);
  Result<void> add_text_once(const std::string& path, std::string_view text);
  Result<StagedFile> transcode(const Layer& layer, Compression compression, std::string what);
  Result<void> add_staged(const std::string& path, const StagedFile& file);
  Result<Descriptor> add_oci_layer(const Layer& layer, const std::string& what);
  Result<Descriptor> add_oci_image(const Image& image);
  Result<std::string> add_docker_layer(const Layer& layer, const std::string& what);

  const Store& store_;
  Workspace& workspace_;
  TarOutput tar_;
  const SaveOptions& options_;
  std::set<std::string> written_;                 // paths in the archive
  std::map<std::string, Descriptor> transcoded_;  // by diff_id
};

std::string blob_member(std::string_view digest) {
  return "blobs/sha256/" + std::string(digest_hex(digest));
}

std::string layer_what(size_t i, size_t count) {
  return "layer " + std::to_string(i + 1) + " of " + std::to_string(count);
}

// A blob as it stands in the store, verified on the way.
Result<void> Saver::add_stored(const std::string& path, const Descriptor& blob, std::string what) {
  if (!written_.insert(path).second) return {};
  STRATA_TRY(const UniqueFd fd, open_file(store_.blob_path(blob.digest), O_RDONLY));
  FdSource file(fd.get(), blob.digest);
  WatchedSource watched(file, std::move(what), options_.report);
  DigestSource digest(watched);
  STRATA_CHECK(tar_.add_file(path, blob.size, digest));
  if (digest.digest() != blob.digest)
    return fail(EBADMSG, "blob " + blob.digest + " is damaged ('strata fsck' tells more)");
  return {};
}

Result<std::string> Saver::read_config(const Image& image) {
  STRATA_TRY(std::string text, read_file(store_.blob_path(image.id), kMaxConfigBytes));
  if (sha256_digest(text) != image.id)
    return fail(EBADMSG, "blob " + image.id + " is damaged ('strata fsck' tells more)");
  return text;
}

Result<void> Saver::add_text_once(const std::string& path, std::string_view text) {
  if (!written_.insert(path).second) return {};
  return tar_.add_text(path, text);
}

// A layer in another compression, aside: a tar wants to know a file's size before its content.
Result<StagedFile> Saver::transcode(const Layer& layer, Compression compression, std::string what) {
  STRATA_TRY(const UniqueFd fd, open_file(store_.blob_path(layer.blob.digest), O_RDONLY));
  FdSource file(fd.get(), layer.blob.digest);
  WatchedSource watched(file, std::move(what), options_.report);
  STRATA_TRY(const auto plain, decompress(watched, Accept::kLayer));
  DigestSource digest(*plain);
  STRATA_TRY(StagedWriter writer, StagedWriter::create(workspace_.fresh_path()));
  STRATA_TRY(const auto encoder, compress(writer.sink(), compression));
  STRATA_CHECK(copy_stream(digest, *encoder));
  STRATA_CHECK(encoder->finish());
  if (digest.digest() != layer.diff_id)
    return fail(EBADMSG, "layer " + layer.diff_id + " is damaged ('strata fsck' tells more)");
  return writer.finish();
}

Result<void> Saver::add_staged(const std::string& path, const StagedFile& file) {
  if (written_.insert(path).second) {
    STRATA_TRY(const UniqueFd fd, open_file(file.path, O_RDONLY));
    FdSource content(fd.get(), file.path.string());
    STRATA_CHECK(tar_.add_file(path, file.size, content));
  }
  return remove_tree(file.path);
}

Result<Descriptor> Saver::add_oci_layer(const Layer& layer, const std::string& what) {
  const bool as_stored = !options_.compression || oci_layer_type(layer.blob.media_type) ==
                                                      layer_media_type(*options_.compression);
  if (as_stored) {
    STRATA_CHECK(add_stored(blob_member(layer.blob.digest), layer.blob, what));
    return layer.blob;
  }
  if (const auto done = transcoded_.find(layer.diff_id); done != transcoded_.end())
    return done->second;
  STRATA_TRY(const StagedFile file, transcode(layer, *options_.compression, what));
  STRATA_CHECK(add_staged(blob_member(file.digest), file));
  Descriptor blob{std::string(layer_media_type(*options_.compression)), file.digest, file.size};
  transcoded_[layer.diff_id] = blob;
  return blob;
}

// Returns the manifest's descriptor: the stored one unless a layer changed its form.
Result<Descriptor> Saver::add_oci_image(const Image& image) {
  Manifest manifest{.media_type = std::string(kOciManifest)};
  bool changed = false;
  for (size_t i = 0; i < image.layers.size(); ++i) {
    const auto& layer = image.layers[i];
    STRATA_TRY(Descriptor blob, add_oci_layer(layer, layer_what(i, image.layers.size())));
    changed = changed || blob.digest != layer.blob.digest;
    blob.media_type = oci_layer_type(blob.media_type);
    manifest.layers.push_back(std::move(blob));
  }
  STRATA_TRY(const std::string config, read_config(image));
  manifest.config = {std::string(kOciConfig), image.id, config.size()};
  STRATA_CHECK(add_text_once(blob_member(image.id), config));
  if (!changed) {
    STRATA_CHECK(add_stored(blob_member(image.manifest.digest), image.manifest, "manifest"));
    return image.manifest;
  }
  const std::string text = manifest_to_json(manifest);
  const std::string digest = sha256_digest(text);
  STRATA_CHECK(add_text_once(blob_member(digest), text));
  return Descriptor{std::string(kOciManifest), digest, text.size()};
}

Result<void> Saver::save_oci(const std::vector<Chosen>& images) {
  STRATA_CHECK(tar_.add_text("oci-layout", R"({"imageLayoutVersion":"1.0.0"})"));
  STRATA_CHECK(tar_.add_directory("blobs"));
  STRATA_CHECK(tar_.add_directory("blobs/sha256"));
  std::vector<IndexEntry> index;
  for (const auto& [image, names] : images) {
    STRATA_TRY(const Descriptor manifest, add_oci_image(image));
    const IndexEntry entry{
        .target = manifest, .os = image.config.os, .architecture = image.config.architecture};
    for (const auto& name : names) {
      index.push_back(entry);
      index.back().annotations[kRefName] = name;
    }
    if (names.empty()) index.push_back(entry);
  }
  STRATA_CHECK(tar_.add_text("index.json", index_to_json(index)));
  return tar_.finish();
}

// Named by the layer's digest, so that images share it; docker tells the form by the content.
Result<std::string> Saver::add_docker_layer(const Layer& layer, const std::string& what) {
  const Compression wanted = options_.compression.value_or(Compression::kNone);
  std::string path = std::string(digest_hex(layer.diff_id)) + ".tar";
  if (written_.contains(path)) return path;
  if (oci_layer_type(layer.blob.media_type) == layer_media_type(wanted)) {
    STRATA_CHECK(add_stored(path, layer.blob, what));
    return path;
  }
  STRATA_TRY(const StagedFile file, transcode(layer, wanted, what));
  STRATA_CHECK(add_staged(path, file));
  return path;
}

Result<void> Saver::save_docker(const std::vector<Chosen>& images) {
  OrderedJson items = OrderedJson::array();
  for (const auto& [image, names] : images) {
    OrderedJson layers = OrderedJson::array();
    for (size_t i = 0; i < image.layers.size(); ++i) {
      STRATA_TRY(std::string path,
                 add_docker_layer(image.layers[i], layer_what(i, image.layers.size())));
      layers.push_back(std::move(path));
    }
    const std::string config = std::string(digest_hex(image.id)) + ".json";
    STRATA_TRY(const std::string text, read_config(image));
    STRATA_CHECK(add_text_once(config, text));
    items.push_back({{"Config", config}, {"RepoTags", names}, {"Layers", layers}});
  }
  STRATA_CHECK(tar_.add_text("manifest.json", items.dump()));
  return tar_.finish();
}

}  // namespace

Result<ArchiveFormat> parse_format(std::string_view text) {
  if (text == "oci") return ArchiveFormat::kOci;
  if (text == "docker") return ArchiveFormat::kDocker;
  return fail(EINVAL, "unknown archive format '" + std::string(text) + "' (oci or docker)");
}

Result<void> save_images(const Store& store, const std::vector<std::string>& references,
                         ByteSink& out, const SaveOptions& options) {
  STRATA_TRY(Workspace workspace, Workspace::create(store));
  STRATA_TRY(const StoreLock lock, store.lock_shared());
  STRATA_TRY(const auto images, choose(store, references));
  Saver saver(store, workspace, out, options);
  return options.format == ArchiveFormat::kOci ? saver.save_oci(images) : saver.save_docker(images);
}

}  // namespace strata::image
