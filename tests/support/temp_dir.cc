#include "tests/support/temp_dir.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "unionfs/base/file.h"

namespace strata::testing {

TempDir::TempDir() {
  const char* parent = std::getenv("STRATA_TEST_DIR");
  auto dir = make_temp_dir(parent != nullptr ? parent : "/var/tmp", "strata-test-");
  if (!dir) {
    std::fprintf(stderr, "%s\n", dir.error().what.c_str());
    std::abort();
  }
  path_ = *dir;
}

TempDir::~TempDir() {
  if (const auto removed = remove_tree(path_); !removed)
    std::fprintf(stderr, "left behind: %s\n", removed.error().what.c_str());
}

std::filesystem::path TempDir::write(std::string_view name, std::string_view content) const {
  const auto path = path_ / std::string(name);
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << content;
  return path;
}

}  // namespace strata::testing
