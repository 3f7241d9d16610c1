#include "tests/image/archives.h"

#include <algorithm>
#include <filesystem>

#include <gtest/gtest.h>

#include "runtime/image/digest.h"
#include "runtime/image/media_type.h"
#include "runtime/image/oci_json.h"
#include "runtime/image/sha256.h"

namespace strata::testing {
namespace {

std::string in_quotes(const std::string& text) {
  return "\"" + text + "\"";
}

std::string joined(const std::vector<std::string>& items) {
  std::string text;
  for (const auto& item : items) text += (text.empty() ? "" : ",") + in_quotes(item);
  return text;
}

void append(std::string& list, const std::string& item) {
  list += (list.empty() ? "" : ",") + item;
}

}  // namespace

std::string small_tar(const std::string& name, const std::string& content) {
  return TarBuilder().file(name, content).bytes();
}

std::string compressed(std::string_view bytes, image::Compression compression) {
  StringSink out;
  auto encoder = image::compress(out, compression);
  if (!encoder || !(*encoder)->write(std::as_bytes(std::span(bytes))) || !(*encoder)->finish())
    ADD_FAILURE() << "compression failed";
  return out.bytes();
}

std::string config_json(const std::vector<std::string>& diff_ids) {
  return R"({"created":"2024-05-17T09:30:12Z","architecture":"amd64","os":"linux",)"
         R"("config":{"Cmd":["/bin/true"]},"rootfs":{"type":"layers","diff_ids":[)" +
         joined(diff_ids) + "]}}";
}

OciArchive::OciArchive() {
  files["oci-layout"] = R"({"imageLayoutVersion":"1.0.0"})";
}

image::Descriptor OciArchive::add_blob(std::string_view media_type, const std::string& bytes) {
  const std::string digest = image::sha256_digest(bytes);
  files["blobs/sha256/" + std::string(image::digest_hex(digest))] = bytes;
  return {std::string(media_type), digest, bytes.size()};
}

image::Descriptor OciArchive::add_image(const std::string& name,
                                        const std::vector<std::string>& tars,
                                        image::Compression compression) {
  image::Manifest manifest{.media_type = std::string(image::kOciManifest)};
  std::vector<std::string> diff_ids;
  for (const auto& tar : tars) {
    diff_ids.push_back(image::sha256_digest(tar));
    manifest.layers.push_back(
        add_blob(image::layer_media_type(compression), compressed(tar, compression)));
  }
  manifest.config = add_blob(image::kOciConfig, config_json(diff_ids));
  auto target = add_blob(image::kOciManifest, image::manifest_to_json(manifest));
  add_entry(target, name);
  return target;
}

void OciArchive::add_entry(const image::Descriptor& target, const std::string& name,
                           const std::string& platform) {
  std::string entry = R"({"mediaType":)" + in_quotes(target.media_type) + R"(,"digest":)" +
                      in_quotes(target.digest) + R"(,"size":)" + std::to_string(target.size);
  if (!platform.empty()) entry += R"(,"platform":)" + platform;
  if (!name.empty())
    entry += R"(,"annotations":{"org.opencontainers.image.ref.name":)" + in_quotes(name) + "}";
  append(index_entries, entry + "}");
}

std::string OciArchive::bytes() const {
  TarBuilder tar;
  auto all = files;
  // Tests that falsify index.json put it there themselves.
  all.try_emplace("index.json", R"({"schemaVersion":2,"manifests":[)" + index_entries + "]}");
  for (const auto& [path, content] : all) tar.file(path, content);
  return tar.bytes();
}

void DockerArchive::add_image(const std::string& name, const std::vector<std::string>& tars,
                              bool as_links) {
  std::vector<std::string> diff_ids;
  std::vector<std::string> paths;
  for (const auto& tar : tars) {
    diff_ids.push_back(image::sha256_digest(tar));
    const std::string hex(image::digest_hex(diff_ids.back()));
    files[hex + ".tar"] = tar;
    paths.push_back(as_links ? hex.substr(0, 12) + "/layer.tar" : hex + ".tar");
    if (as_links) symlinks[paths.back()] = "../" + hex + ".tar";
  }
  const std::string config = config_json(diff_ids);
  const std::string config_path =
      std::string(image::digest_hex(image::sha256_digest(config))) + ".json";
  files[config_path] = config;
  append(items, R"({"Config":)" + in_quotes(config_path) + R"(,"RepoTags":[)" + in_quotes(name) +
                    R"(],"Layers":[)" + joined(paths) + "]}");
}

std::string DockerArchive::bytes() const {
  TarBuilder tar;
  for (const auto& [path, target] : symlinks) tar.symlink(path, target);
  auto all = files;
  all.try_emplace("manifest.json", "[" + items + "]");
  for (const auto& [path, content] : all) tar.file(path, content);
  return tar.bytes();
}

Result<std::vector<image::Image>> load(const image::Store& store, const std::string& bytes,
                                       const image::LoadOptions& options) {
  StringSource source(bytes);
  return image::load_archive(store, source, options);
}

Result<image::Image> import(const image::Store& store, const std::string& tar,
                            const std::string& name, const image::ImportOptions& options) {
  StringSource source(tar);
  return image::import_tar(store, source, "test.tar", name, options);
}

std::vector<std::string> store_content(const image::Store& store) {
  std::vector<std::string> paths;
  for (const auto& dir : {store.layout_dir(), store.layers_dir(), store.tmp_dir()})
    for (const auto& entry : std::filesystem::recursive_directory_iterator(dir))
      paths.push_back(entry.path().lexically_relative(store.root()).string());
  std::sort(paths.begin(), paths.end());
  return paths;
}

std::string findings_of(const image::Store& store, bool repair) {
  const auto findings = image::check_store(store, repair);
  if (!findings) return findings.error().what;
  std::string text;
  for (const auto& finding : *findings)
    text += finding.kind + " " + finding.object + ": " + finding.detail +
            (finding.repaired ? " (repaired)\n" : "\n");
  return text;
}

}  // namespace strata::testing
