// Engines that drive strata-oci, on a real Debian root file system: the ground they need, of the
// test's own, and their daemons.
//
// Everything that an engine writes is in memory and in namespaces of the test's own: /run, its
// store, a network with nothing but the loopback. A daemon is the first process of a pid namespace,
// so that nothing that it started outlives it. What stays are cgroups: all below one parent, which
// is removed at the end, and what is left of containers there is a failure.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/environment.h"
#include "tests/support/temp_dir.h"
#include "unionfs/base/subprocess.h"

namespace strata::bundle {

class EngineTest : public ::testing::Test {
 protected:
  // Tests with needs of their own check these first and then call it.
  void SetUp() override;
  void TearDown() override;

  // Runs a program to its end; a failed expectation if that takes a minute.
  static Completed run(std::vector<std::string> argv, std::vector<std::string> env = {});
  // The same on a terminal; `out` is what it showed.
  static Completed run_on_terminal(const std::vector<std::string>& argv,
                                   std::vector<std::string> env = {});

  // Starts the engine's daemon and waits until `ready` exits with 0. Stopped at the end of the
  // test. Its output is shown if it does not come up.
  void start_daemon(const std::vector<std::string>& argv, const std::vector<std::string>& ready);

  // The file system of scripts/make-images, with three programs that can't be executed: /no-program
  // (a text), /no-interpreter (a script of a missing one) and /not-executable.
  [[nodiscard]] std::filesystem::path rootfs() const { return ground_ / "rootfs"; }
  // The same as a tar.
  [[nodiscard]] std::filesystem::path make_image_tar() const;

  testing::TempDir temp_;
  std::filesystem::path ground_ = temp_.path() / "ground";  // in memory
  // Below every hierarchy's mount.
  std::string cgroup_parent_ = "/strata-engine-test-" + std::to_string(::getpid());

 private:
  void stop_daemon();
  pid_t daemon_ = -1;
};

}  // namespace strata::bundle
