// One configuration run by one runtime, and what its first process saw.
#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "tests/bundle/compare/variations.h"
#include "tests/support/temp_dir.h"

namespace strata::bundle {

struct Picture {
  bool ran = false;             // the container came to be
  std::string error;            // if not
  std::set<std::string> lines;  // "section<TAB>text"
};

// A bundle and the three runtimes. REQUIRES: root, in namespaces that are the process's own
// (testing::enter_private_namespaces): the v2 tree of a hybrid host is unmounted there, since
// Debian's crun can't handle it.
class Painter {
 public:
  Painter();
  Painter(const Painter&) = delete;
  Painter& operator=(const Painter&) = delete;
  ~Painter();

  [[nodiscard]] Picture paint(const std::string& runtime, const Json& config);

  // A base configuration for this bundle; $BUNDLE and $PID stand for the bundle's directory and a
  // process with namespaces of its own wherever they are in a configuration's text.
  [[nodiscard]] Json base() const;

  // What is left of all that was run: empty is what is wanted.
  [[nodiscard]] std::string leftovers() const;

 private:
  void make_root() const;

  testing::TempDir temp_;
  std::filesystem::path bundle_ = temp_.path() / "bundle";
  std::string cgroup_;
  pid_t other_ = -1;
  int runs_ = 0;
};

// What differs from a peer's picture, line by line ("ours: …", "crun: …"), but for what is meant
// to.
[[nodiscard]] std::vector<std::string> differences(const Picture& ours, const Picture& theirs,
                                                   const std::string& peer);

}  // namespace strata::bundle
