// Python as an oracle: its statistics, csv and jsonschema modules know nothing of this project.
#pragma once

#include <optional>
#include <string>

#include "tests/support/environment.h"

namespace strata::bench::testing {

inline constexpr const char* kPython = "/usr/bin/python3";  // Debian's, which has its modules

inline std::optional<std::string> lacks_python(const std::string& module) {
  const auto done = run_command({.argv = {kPython, "-c", "import " + module}});
  if (done && done->status == 0) return std::nullopt;
  return "this test needs Python's module '" + module + "'";
}

// What a script prints, given `input` and `arguments`; a failing script fails the test.
inline std::string python(const std::string& script, std::string input = {},
                          std::vector<std::string> arguments = {}) {
  std::vector<std::string> argv{kPython, "-c", script};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  const auto done = strata::testing::run(std::move(argv), std::move(input));
  EXPECT_EQ(done.status, 0) << done.err;
  return done.out;
}

}  // namespace strata::bench::testing
