// A directory for one test, removed with all that is in it. It lies under $STRATA_TEST_DIR or
// /var/tmp: on a real file system, since overlayfs refuses some uppers on tmpfs of old kernels.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace strata::testing {

class TempDir {
 public:
  TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  ~TempDir();

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::filesystem::path operator/(std::string_view name) const {
    return path_ / std::string(name);
  }

  // Creates parents and the file; returns its path.
  std::filesystem::path write(std::string_view name, std::string_view content) const;

 private:
  std::filesystem::path path_;
};

}  // namespace strata::testing
