// Attacks on the host from inside of a container, or from its image, each of which worked on some
// container runtime once. What they are after is a canary: a directory of the host with a file in
// it, which no container has, and a copy of the runtime, which no container may change.
#pragma once

#include <functional>

#include "tests/bundle/oci_fixture.h"
#include "unionfs/base/unique_fd.h"

namespace strata::bundle {

class EscapeTest : public OciTest {
 protected:
  void SetUp() override;
  void TearDown() override;

  // A link in the container's root that leads to the canary from wherever it is followed on the
  // host: as an absolute one, and by way of more ".." than there are directories.
  void plant_absolute_link(const std::filesystem::path& link) const;
  [[nodiscard]] std::string way_up_to_canary() const;

  // Starts `intruder watch` as the container "watcher", in which others may take part.
  void start_watcher(const std::function<void(Json&)>& change = [](Json&) {});
  // Ends it; what it reached, by its own words. Empty is what is wanted.
  std::string stop_watcher();

  // Whether what a container wrote has the canary's content in it.
  static constexpr const char* kSecret = "only the host knows";

  std::filesystem::path host_ = temp_.path() / "host";
  std::filesystem::path canary_ = host_ / "canary";

 private:
  std::filesystem::path watcher_output_;
  UniqueFd
      lifeline_;  // the watcher ends when nobody has it open for writing: with us at the latest
};

// Another process that exchanges two names of one directory as fast as it can, as a container would
// that has the directory, too; from birth to destruction.
class Swapper {
 public:
  Swapper(const std::filesystem::path& a, const std::filesystem::path& b);
  Swapper(const Swapper&) = delete;
  Swapper& operator=(const Swapper&) = delete;
  ~Swapper();

 private:
  pid_t pid_;
};

}  // namespace strata::bundle
