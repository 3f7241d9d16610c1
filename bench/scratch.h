// A run's scratch directory, `<parent>/run-XXXXXX`, removed with all that is in it when the run
// ends; one that a killed harness left behind is removed by the next.
//
// Thread rule: one owner.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "unionfs/base/result.h"
#include "unionfs/base/unique_fd.h"

namespace strata::bench {

class Scratch {
 public:
  // Makes `parent` if it is missing. `on_abandoned` is called with the name() of each directory
  // that is removed because its owner was killed, to remove what else bears that name.
  [[nodiscard]] static Result<Scratch> create(
      const std::filesystem::path& parent,
      const std::function<void(const std::string& name)>& on_abandoned);
  Scratch(Scratch&& other) noexcept;
  Scratch& operator=(Scratch&&) = delete;
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch();

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  // Unique on this machine among runs that go on: "strata-bench-XXXXXX".
  [[nodiscard]] std::string name() const;

 private:
  Scratch(std::filesystem::path path, UniqueFd lock)
      : path_(std::move(path)), lock_(std::move(lock)) {}
  std::filesystem::path path_;  // empty: moved from
  UniqueFd lock_;               // flock(2) on the directory: its owner lives
};

}  // namespace strata::bench
