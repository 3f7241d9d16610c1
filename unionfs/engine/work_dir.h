// The work directory: where changes are made ready before one rename(2) puts them in place.
//
// Thread rule: one user at a time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "unionfs/base/result.h"
#include "unionfs/base/unique_fd.h"

namespace strata::unionfs::engine {

class WorkDir {
 public:
  // Uses the subdirectory "engine" of `path` (the kernel has its own, "work") and removes what an
  // earlier user left there.
  [[nodiscard]] static Result<WorkDir> open(const std::filesystem::path& path);

  [[nodiscard]] int fd() const { return fd_.get(); }

  // A name that nothing has.
  [[nodiscard]] std::string fresh_name() { return std::to_string(next_++); }

  // A whiteout, ready to be renamed.
  [[nodiscard]] Result<std::string> make_whiteout();

  // Removes what is called `name`, if it is there. Best effort: open() does it again.
  void discard(const std::string& name) noexcept;

 private:
  WorkDir(std::filesystem::path path, UniqueFd fd) : path_(std::move(path)), fd_(std::move(fd)) {}

  std::filesystem::path path_;
  UniqueFd fd_;
  uint64_t next_ = 0;
};

// Something staged: discarded at the end of its life, unless it was put in place (then the name is
// free, or has what was there before: that is discarded).
class Staged {
 public:
  explicit Staged(WorkDir& work) : work_(work), name_(work.fresh_name()) {}
  Staged(WorkDir& work, std::string name) : work_(work), name_(std::move(name)) {}
  Staged(const Staged&) = delete;
  Staged& operator=(const Staged&) = delete;
  ~Staged() { work_.discard(name_); }

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const char* c_str() const { return name_.c_str(); }

 private:
  WorkDir& work_;
  std::string name_;
};

}  // namespace strata::unionfs::engine
