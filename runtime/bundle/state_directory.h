// Where `strata-oci` keeps what it knows of a container: one directory below its root.
//
//   <root>/<id>/          flock(2)ed by whoever creates, starts or deletes the container
//     state.json          what it is (record.h); written first, before anything else is made
//     config.json         the configuration that it was created with
//     exec.fifo           what the first process of a created container waits on
//
// A directory without state.json belongs to a creation that was cut off before it made anything.
//
// Thread rule: one owner.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "unionfs/base/result.h"
#include "unionfs/base/unique_fd.h"

namespace strata::bundle {

class StateDirectory {
 public:
  // A new directory, locked. EEXIST: "container with given ID already exists"; EINVAL for an ID
  // of other characters than letters, digits and "_+-.", as in runc, or with a full stop in front.
  [[nodiscard]] static Result<StateDirectory> create(const std::filesystem::path& root,
                                                     std::string_view id);

  // One that is there. ENOENT: "container does not exist".
  [[nodiscard]] static Result<StateDirectory> open(const std::filesystem::path& root,
                                                   std::string_view id);

  [[nodiscard]] const std::string& id() const { return id_; }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::filesystem::path state() const { return path_ / "state.json"; }
  [[nodiscard]] std::filesystem::path config() const { return path_ / "config.json"; }
  [[nodiscard]] std::filesystem::path fifo() const { return path_ / "exec.fifo"; }

  // Waits for whoever works on the container: EBUSY after `patience`; ENOENT if it was deleted
  // meanwhile.
  [[nodiscard]] Result<void> lock(std::chrono::milliseconds patience);

  // Lets others work on the container.
  void unlock() { fd_.reset(); }

  // Whether another process holds the lock at this moment.
  [[nodiscard]] bool is_locked_elsewhere() const;

  // Removes the directory and all that is in it.
  [[nodiscard]] Result<void> remove() const;

 private:
  StateDirectory(std::string id, std::filesystem::path path)
      : id_(std::move(id)), path_(std::move(path)) {}
  std::string id_;
  std::filesystem::path path_;
  UniqueFd fd_;  // holds the lock
};

[[nodiscard]] Result<void> check_id(std::string_view id);

// The IDs of all containers below `root`, sorted; a root that is not there has none.
[[nodiscard]] Result<std::vector<std::string>> container_ids(const std::filesystem::path& root);

}  // namespace strata::bundle
