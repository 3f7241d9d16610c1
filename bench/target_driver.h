// How one target is prepared, started and cleaned up. One file a target or family in targets/.
//
// The order of calls, which runner.cc keeps:
//   unavailable                         when it says nothing:
//     setup                             once
//       (prepare, [trial], conclude)…   once a trial, warm-ups included
//     cleanup                           once, also after a setup that failed half-way
// Only the trial is measured.
//
// Thread rule: one owner, main thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bench/executor.h"
#include "bench/workload.h"
#include "unionfs/base/result.h"

namespace strata::bench {

struct TargetInfo {
  std::string name;         // "strata", "vm-microvm"
  std::string kind;         // "process", "container" or "vm"
  std::string description;  // for a reader: what is started, and what it does and doesn't do
  bool is_slow = false;     // seconds rather than milliseconds a trial: gets the small budget
};

class TargetDriver {
 public:
  explicit TargetDriver(TargetInfo info) : info_(std::move(info)) {}
  TargetDriver(const TargetDriver&) = delete;
  TargetDriver& operator=(const TargetDriver&) = delete;
  virtual ~TargetDriver() = default;

  [[nodiscard]] const TargetInfo& info() const { return info_; }

  // Why it can't run on this machine, in a few words ("crun is not installed"), or nullopt. Quick,
  // and changes nothing.
  [[nodiscard]] virtual std::optional<std::string> unavailable() const = 0;

  // Makes whatever trials need. ENOTSUP: the target can't run with this workload (it is skipped,
  // with the error as the reason); any other error is a failure.
  [[nodiscard]] virtual Result<void> setup(const Workload& workload) = 0;

  // Before every trial, not timed.
  [[nodiscard]] virtual Result<void> prepare() { return {}; }

  // REQUIRES: setup() succeeded. The same for every trial.
  [[nodiscard]] virtual Launch launch() const = 0;

  // After every trial, not timed. After a trial that failed (`error` is not empty), removes what
  // it may have left behind.
  [[nodiscard]] virtual Result<void> conclude(const std::string& error) {
    static_cast<void>(error);
    return {};
  }

  // Removes all that setup() and the trials made outside the scratch directory.
  [[nodiscard]] virtual Result<void> cleanup() { return {}; }

  // Known after setup(); empty where there is nothing to say.
  [[nodiscard]] const std::string& version() const { return version_; }
  [[nodiscard]] const std::string& accelerator() const { return accelerator_; }
  [[nodiscard]] const std::string& note() const { return note_; }  // a sentence for a reader

 protected:
  std::string version_;
  std::string accelerator_;
  std::string note_;

 private:
  TargetInfo info_;
};

using Targets = std::vector<std::unique_ptr<TargetDriver>>;

}  // namespace strata::bench
