// Image archives made by hand, so that they may lie.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/image/codec.h"
#include "runtime/image/image.h"
#include "runtime/image/ingest.h"
#include "runtime/image/maintain.h"
#include "runtime/image/store.h"
#include "tests/unionfs/tar_builder.h"

namespace strata::testing {

// A tar with one file.
[[nodiscard]] std::string small_tar(const std::string& name, const std::string& content);

[[nodiscard]] std::string compressed(std::string_view bytes, image::Compression compression);

// The files of an OCI archive. Tests reach into `files` to falsify them.
struct OciArchive {
  std::map<std::string, std::string> files;  // path to content
  std::string index_entries;                 // JSON, joined by commas

  OciArchive();
  // Adds a blob under its digest.
  image::Descriptor add_blob(std::string_view media_type, const std::string& bytes);
  // Adds an image with these plain tars as layers and returns its manifest.
  image::Descriptor add_image(const std::string& name, const std::vector<std::string>& tars,
                              image::Compression compression = image::Compression::kGzip);
  // Adds an entry to index.json.
  void add_entry(const image::Descriptor& target, const std::string& name,
                 const std::string& platform = "");
  [[nodiscard]] std::string bytes() const;
};

// The files of a docker-archive.
struct DockerArchive {
  std::map<std::string, std::string> files;
  std::map<std::string, std::string> symlinks;
  std::string items;  // JSON, joined by commas

  // Adds an image with these tars as layers; `as_links` puts them into directories of their own
  // and reaches them through symbolic links, as docker did for layers that images share.
  void add_image(const std::string& name, const std::vector<std::string>& tars,
                 bool as_links = false);
  [[nodiscard]] std::string bytes() const;
};

[[nodiscard]] std::string config_json(const std::vector<std::string>& diff_ids);

// load_archive() of bytes.
[[nodiscard]] Result<std::vector<image::Image>> load(const image::Store& store,
                                                     const std::string& bytes,
                                                     const image::LoadOptions& options = {});

// import_tar() of bytes.
[[nodiscard]] Result<image::Image> import(const image::Store& store, const std::string& tar,
                                          const std::string& name,
                                          const image::ImportOptions& options = {});

// Everything below the store's images/, layers/ and tmp/, by relative path: for "nothing was kept".
[[nodiscard]] std::vector<std::string> store_content(const image::Store& store);

// What fsck finds, one line each; empty for a clean store.
[[nodiscard]] std::string findings_of(const image::Store& store, bool repair = false);

}  // namespace strata::testing
