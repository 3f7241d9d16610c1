// Where a container keeps what on disk. All names are made here and nowhere else; FORMAT.md says
// what is in the files.
//
//   containers/<id>/   one directory a container; flock(2)ed by whoever changes it: the program
//                      that creates, recovers or removes it, its monitor as long as that lives
//     image            the image's ID: what it names is not removed from the store
//     container.json   what the container is (record.h) and what became of it (state.h), a line
//     each;
//                      written last on creation and removed first, so that a directory without it
//                      is not a container (yet, or any more)
//     config.json      the OCI runtime-spec configuration of the last start; of a container that
//                      removes itself only once it has lasted a second
//     log              what it wrote, one JSON object a line
//     monitor.sock     where its monitor listens
//     hosts hostname resolv.conf     mounted over those in the container's /etc; the last one with
//                      the host's network only
//     upper/ work/     overlayfs's writable layer
//   names/<name>       symbolic link that holds the ID of the container with this name
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include "runtime/image/store.h"

namespace strata::container {

class Files {
 public:
  Files(const image::Store& store, std::string_view id)
      : names_(store.root() / "names"), dir_(store.containers_dir() / std::string(id)) {}

  [[nodiscard]] const std::filesystem::path& dir() const { return dir_; }
  [[nodiscard]] std::filesystem::path image() const { return dir_ / "image"; }
  [[nodiscard]] std::filesystem::path record() const { return dir_ / "container.json"; }
  [[nodiscard]] std::filesystem::path config() const { return dir_ / "config.json"; }
  [[nodiscard]] std::filesystem::path log() const { return dir_ / "log"; }
  [[nodiscard]] std::filesystem::path hosts() const { return dir_ / "hosts"; }
  [[nodiscard]] std::filesystem::path hostname() const { return dir_ / "hostname"; }
  [[nodiscard]] std::filesystem::path resolv_conf() const { return dir_ / "resolv.conf"; }
  [[nodiscard]] std::filesystem::path upper() const { return dir_ / "upper"; }
  [[nodiscard]] std::filesystem::path work() const { return dir_ / "work"; }
  [[nodiscard]] std::filesystem::path name_link(std::string_view name) const {
    return names_ / std::string(name);
  }
  [[nodiscard]] const std::filesystem::path& names() const { return names_; }

 private:
  std::filesystem::path names_;
  std::filesystem::path dir_;
};

inline constexpr const char* kSocketName = "monitor.sock";

// The container's cgroup, below every controller's mount.
[[nodiscard]] inline std::string cgroup_path(std::string_view id) {
  return "/strata/" + std::string(id);
}

}  // namespace strata::container
