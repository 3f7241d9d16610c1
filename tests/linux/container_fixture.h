// Containers for the tests of launch(): a root directory with busybox, a cgroup below /strata-test,
// and a look at what is left behind.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/linux/launch.h"
#include "runtime/oci/spec.h"
#include "tests/support/temp_dir.h"
#include "unionfs/base/unique_fd.h"

namespace strata::linux {

struct Ended {
  int status = -1;  // exit status, or 128 + signal number
  std::string out;  // standard output and error
};

class ContainerTest : public ::testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

  // The default spec with a program.
  [[nodiscard]] oci::Spec spec_for(std::vector<std::string> args) const;
  [[nodiscard]] oci::Spec shell(const std::string& script) const {
    return spec_for({"sh", "-c", script});
  }

  // Runs a container to its end. An error of launch() or start() is a failure of the test.
  Ended run(const oci::Spec& spec);
  // What launch() or start() had to say against it.
  Error failure_of(const oci::Spec& spec);

  // Sets up and starts; the caller ends it with finish().
  Result<Launched> launch_with(const oci::Spec& spec, Stdio stdio = {});
  Ended finish(Launched launched, UniqueFd output);

  // Makes all that is in the root directory a user's: the root of a user namespace.
  void give_root_to(uint32_t id) const;

  // A detached mount of the root directory.
  [[nodiscard]] UniqueFd clone_root() const;

  testing::TempDir temp_;
  std::filesystem::path root_ = temp_.path() / "root";
  std::optional<Cgroup> cgroup_;
  bool with_seccomp_ = true;
  std::vector<sock_filter> filter_;  // in place of the default one

 private:
  std::string cgroup_path_ = "/strata-test/" + std::to_string(::getpid());
  size_t mounts_before_ = 0;
  size_t descriptors_before_ = 0;
};

// A pipe: what the container writes, to be read to its end.
struct OutputPipe {
  UniqueFd read, write;
};
[[nodiscard]] OutputPipe make_output_pipe();
[[nodiscard]] std::string read_to_end(int fd);
int reap(pid_t pid);

}  // namespace strata::linux
