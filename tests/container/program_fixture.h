// The programs as black boxes over a store of its own that holds a real Debian image. The store is
// made once a program run (importing takes seconds); after each test nothing of a container may be
// left on the machine.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/environment.h"
#include "tests/support/temp_dir.h"
#include "unionfs/base/json.h"
#include "unionfs/base/subprocess.h"

namespace strata::container {

class ProgramTest : public ::testing::Test {
 public:
  static void SetUpTestSuite();

 protected:
  void SetUp() override;
  void TearDown() override;

  static std::filesystem::path root();

  // Runs `strata ARGUMENTS…`.
  static Completed strata(std::vector<std::string> arguments, std::string input = {});

  // Expects success and returns standard output without the last newline.
  static std::string ok(std::vector<std::string> arguments);

  // The arguments of a whole command line, for programs that start strata themselves.
  static std::vector<std::string> command_line(std::vector<std::string> arguments);

  // `strata inspect NAME`, its only object.
  static Json inspect(const std::string& name);
  static std::string status_of(const std::string& name);

  // Waits until `condition` holds; a failed expectation after ten seconds.
  static void wait_for(const std::string& what, const std::function<bool()>& condition);

  // What is left of containers of this store: one line each. Empty is what is wanted.
  static std::string leftovers();

  testing::TempDir dir_;  // of this test
};

}  // namespace strata::container
