// What every target of a run is given: the image, the command, a place to work. Also where an
// image's content comes from: `strata inspect`, or a plain directory.
//
// Thread rule: plain values; functions from any thread.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "unionfs/base/result.h"

namespace strata::bench {

// The content that is started from.
struct Image {
  std::string name;  // as the store knows it; empty: it is a plain directory
  std::string id;
  std::vector<std::filesystem::path> layers;  // unpacked, top first; at least one
  std::vector<std::string> env;               // "NAME=value"; PATH is always there
  std::vector<std::string> entrypoint;        // stands before every command
  std::string working_dir = "/";
};

// Asks `strata` about image `name` in the store `root`. Errors are what `strata` says; ENOTSUP for
// an image that runs as a user other than root, which the bare targets don't imitate.
[[nodiscard]] Result<Image> inspect_image(const std::string& strata,
                                          const std::filesystem::path& root,
                                          const std::string& name);

// A root file system in a directory, as an image of one layer.
[[nodiscard]] Result<Image> directory_image(const std::filesystem::path& directory);

struct Workload {
  std::filesystem::path root;  // the image store
  Image image;
  std::vector<std::string> command;   // without the image's entrypoint; REQUIRES: not empty
  std::optional<std::string> output;  // what the command has to write; nullopt: anything
  size_t containers = 1000;           // that run at once, where that is what is measured
  std::string id;                     // unique among runs: names of containers and cgroups
  std::filesystem::path scratch;      // exists, on the store's file system; removed after the run
  int stop_fd = -1;                   // readable when the run is to end early, during a set-up too

  // Entrypoint and command.
  [[nodiscard]] std::vector<std::string> full_command() const;
};

}  // namespace strata::bench
