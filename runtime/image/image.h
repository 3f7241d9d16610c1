// Images as OCI image-spec 1.1 describes them (config.md, manifest.md), reduced to what a user of
// an image needs. Plain values.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace strata::image {

struct Descriptor {
  std::string media_type;
  std::string digest;  // "sha256:<64 hex digits>"
  uint64_t size = 0;   // bytes of the blob
};

struct History {
  std::string created;     // RFC 3339
  std::string created_by;  // the command
  std::string comment;
  bool empty_layer = false;
};

// The image's configuration (image-spec config.md). Field names follow the spec.
struct Config {
  std::string created;  // RFC 3339
  std::string author;
  std::string architecture;
  std::string os;
  std::string user;
  std::vector<std::string> env;
  std::vector<std::string> entrypoint;
  std::vector<std::string> cmd;
  std::string working_dir;
  std::string stop_signal;
  std::vector<std::string> exposed_ports;  // "5432/tcp"
  std::vector<std::string> volumes;        // absolute paths in the container
  std::map<std::string, std::string> labels;
  std::vector<History> history;
};

struct Layer {
  Descriptor blob;             // as distributed (compressed)
  std::string diff_id;         // digest of the uncompressed tar
  std::filesystem::path tree;  // the unpacked layer directory, in overlayfs's format
  uint64_t size = 0;           // bytes of the files in it
};

struct Image {
  std::string id;  // digest of the configuration, as docker's image ID
  Descriptor manifest;
  std::vector<std::string> names;  // "debian:bookworm", sorted; may be empty
  uint64_t size = 0;               // bytes of the files in all layers
  Config config;
  std::vector<Layer> layers;  // bottom first, as the spec lists them

  // The trees top first, as a LayerStack wants them: each once, where it stands highest.
  [[nodiscard]] std::vector<std::filesystem::path> trees_top_first() const;
};

}  // namespace strata::image
