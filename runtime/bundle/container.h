// A container of `strata-oci`: what was recorded of it, and what is seen of it now.
//
// Thread rule: one owner; several processes may work on one container: whoever changes it holds the
// lock of its directory.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/bundle/record.h"
#include "runtime/bundle/state_directory.h"
#include "runtime/linux/cgroup.h"
#include "runtime/oci/spec.h"
#include "unionfs/base/result.h"

namespace strata::bundle {

// The version of the runtime-spec that states and configurations of ours follow.
inline constexpr const char* kOciVersion = "1.2.0";

// The statuses of the runtime-spec, and runc's "paused".
enum class Status { kCreating, kCreated, kRunning, kPaused, kStopped };
[[nodiscard]] std::string_view status_name(Status status);

class Container {
 public:
  // ENOENT: "container does not exist", also for a directory that holds no state.
  [[nodiscard]] static Result<Container> load(const std::filesystem::path& root,
                                              std::string_view id);
  Container(StateDirectory directory, Record record)
      : directory_(std::move(directory)), record_(std::move(record)) {}

  [[nodiscard]] StateDirectory& directory() { return directory_; }
  [[nodiscard]] const StateDirectory& directory() const { return directory_; }
  [[nodiscard]] Record& record() { return record_; }
  [[nodiscard]] const Record& record() const { return record_; }

  // Waits for the lock, then reads the record again.
  [[nodiscard]] Result<void> lock();
  [[nodiscard]] Result<void> save() const;

  // Never from a bare process ID. Created: its first process has the FIFO open still.
  [[nodiscard]] Status status() const;

  [[nodiscard]] linux::Cgroup cgroup() const;

  // Of the configuration that it was created with.
  [[nodiscard]] Result<oci::Spec> spec() const;
  [[nodiscard]] Result<oci::Hooks> hooks() const;

  // A pidfd of the first process; ESRCH "container not running" if it is gone.
  [[nodiscard]] Result<UniqueFd> open_init() const;

 private:
  StateDirectory directory_;
  Record record_;
};

// Whether the cgroup's freezer, of whichever version, holds its processes.
[[nodiscard]] bool is_frozen(const linux::Cgroup& cgroup);

// The state as the runtime-spec has it (section "State"), which hooks get, too; with runc's
// additional members rootfs, created and owner.
[[nodiscard]] std::string state_json(const Record& record, Status status, bool indented = false);

// What goes with the listener of a seccomp filter (runtime-spec config-linux.md, "The container
// process state"). `pid` is that of the process with the filter.
[[nodiscard]] std::string listener_state_json(const Record& record, Status status, pid_t pid,
                                              const std::string& metadata);

// The name of the container's creator where it is known without asking anybody, else the number.
[[nodiscard]] std::string owner_name(const Record& record);

}  // namespace strata::bundle
