// What a test needs from the machine. A missing thing skips the test with its reason; where
// $STRATA_REQUIRE_ALL is set (as scripts/test does where everything was installed) it fails it, so
// that a run which proves nothing can't pass for one that does.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include <gtest/gtest.h>

#include "unionfs/base/subprocess.h"

namespace strata::testing {

// nullopt when the need is met, else the reason.
[[nodiscard]] std::optional<std::string> lacks_root();
[[nodiscard]] std::optional<std::string> lacks_program(const std::string& name);
[[nodiscard]] std::optional<std::string> lacks_debian_image();

// Whether a missing need is a failure here.
[[nodiscard]] bool requires_all();

// The root file system tar of a real Debian (made by scripts/make-images):
// $STRATA_CACHE/debian.tar, by default /var/cache/strata/debian.tar.
[[nodiscard]] std::filesystem::path debian_tar();

// The path of a program of ours: in the build tree under test, or in $STRATA_BIN.
[[nodiscard]] std::string own_program(const std::string& name);

// The top of the source tree.
[[nodiscard]] std::filesystem::path source_dir();

// Runs a program to its end; a failure to start is reported as a failed expectation.
Completed run(std::vector<std::string> argv, std::string input = {});

// Puts this process into mount, ipc and network namespaces of its own, with private propagation,
// once; what the test mounts is gone with it. False if that is not possible.
[[nodiscard]] bool enter_private_namespaces();

}  // namespace strata::testing

#define STRATA_NEEDS(lack)                                                              \
  do {                                                                                  \
    if (const auto strata_lack = (lack)) {                                              \
      if (::strata::testing::requires_all()) FAIL() << "needed here: " << *strata_lack; \
      GTEST_SKIP() << *strata_lack;                                                     \
    }                                                                                   \
  } while (false)

#define STRATA_NEEDS_ROOT() STRATA_NEEDS(::strata::testing::lacks_root())
#define STRATA_NEEDS_PROGRAM(name) STRATA_NEEDS(::strata::testing::lacks_program(name))
#define STRATA_NEEDS_DEBIAN() STRATA_NEEDS(::strata::testing::lacks_debian_image())
