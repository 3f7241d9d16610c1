// strata-oci, and runc beside it, as black boxes over a bundle with busybox, in namespaces of the
// test's own.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/environment.h"
#include "tests/support/temp_dir.h"
#include "unionfs/base/json.h"
#include "unionfs/base/subprocess.h"

namespace strata::bundle {

class OciTest : public ::testing::Test {
 public:
  // The program under test, or another of the same command line.
  enum class Runtime { kStrata, kRunc };

 protected:
  void SetUp() override;
  void TearDown() override;

  // Writes the bundle's config.json: a program, without terminal, in a cgroup of the test's own,
  // changed as `change` says.
  void write_config(
      const std::vector<std::string>& args,
      const std::function<void(Json&)>& change = [](Json&) {});
  void write_shell(
      const std::string& script, const std::function<void(Json&)>& change = [](Json&) {}) {
    write_config({"sh", "-c", script}, change);
  }

  // Runs `<runtime> --root … ARGUMENTS…` in the bundle. Its streams are files, so that nobody waits
  // for a container that has them, too.
  Completed oci(std::vector<std::string> arguments, Runtime runtime = Runtime::kStrata);
  // Expects success and returns standard output.
  std::string ok(std::vector<std::string> arguments, Runtime runtime = Runtime::kStrata);
  // The command line of the above.
  [[nodiscard]] std::vector<std::string> command_line(std::vector<std::string> arguments,
                                                      Runtime runtime = Runtime::kStrata) const;

  // The file that the last call had as its standard output, and so a container that it made.
  [[nodiscard]] std::filesystem::path last_output() const;

  [[nodiscard]] Json state(const std::string& id, Runtime runtime = Runtime::kStrata);
  [[nodiscard]] std::string status(const std::string& id, Runtime runtime = Runtime::kStrata);

  // Waits until `condition` holds; a failed expectation after ten seconds.
  static void wait_for(const std::string& what, const std::function<bool()>& condition);
  void wait_stopped(const std::string& id, Runtime runtime = Runtime::kStrata);

  // What is left of containers: state directories, cgroups, processes. Empty is what is wanted.
  [[nodiscard]] std::string leftovers() const;

  // The same, and of mounts and processes: an expectation.
  void expect_nothing_left(const std::string& where) const;

  [[nodiscard]] std::filesystem::path root(Runtime runtime = Runtime::kStrata) const;

  std::string program_ = testing::own_program("strata-oci");
  testing::TempDir temp_;
  std::filesystem::path bundle_ = temp_.path() / "bundle";
  std::filesystem::path rootfs_ = bundle_ / "rootfs";
  int calls_ = 0;
  long mounts_ = 0;  // before anything was run
  std::string cgroup_ = "/strata-oci-test/" + std::to_string(::getpid());
};

}  // namespace strata::bundle
