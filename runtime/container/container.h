// A container of the store, found by name or ID: what it is, what became of it, where its files
// are. What is done with one is create.h, start.h, exec.h, control.h.
//
// Thread rule: plain values; all state is on disk, and several processes may work on one container:
// whoever changes it holds its lock.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/container/files.h"
#include "runtime/container/record.h"
#include "runtime/container/state.h"
#include "runtime/image/store.h"
#include "runtime/linux/cgroup.h"
#include "unionfs/base/file.h"
#include "unionfs/base/result.h"
#include "unionfs/base/unique_fd.h"

namespace strata::container {

class Container {
 public:
  // By name, ID, or an unambiguous start of an ID. ENOENT says where was looked; EINVAL if several
  // IDs start so.
  [[nodiscard]] static Result<Container> find(const image::Store& store,
                                              std::string_view reference);

  // By the whole ID. ENOENT if there is no such container (also: not yet, or no more).
  [[nodiscard]] static Result<Container> load(const image::Store& store, std::string_view id);

  Container(const image::Store& store, Record record)
      : store_(store), files_(store, record.id), record_(std::move(record)) {}

  [[nodiscard]] const Record& record() const { return record_; }
  [[nodiscard]] const std::string& id() const { return record_.id; }
  [[nodiscard]] const std::string& name() const { return record_.name; }
  [[nodiscard]] const Files& files() const { return files_; }
  [[nodiscard]] const image::Store& store() const { return store_; }

  // What was recorded last, as it is seen now: kDead instead of kRunning if the monitor is gone.
  // kCreated if nothing was recorded yet. REQUIRES for save(): the lock.
  [[nodiscard]] Result<State> state() const;
  [[nodiscard]] Result<void> save(const State& state,
                                  Durability durability = Durability::kAtomic) const;

 private:
  image::Store store_;
  Files files_;
  Record record_;
  mutable std::string record_line_;  // of the container's file; made when it is first written
};

// All IDs that have a directory, whether it holds a whole container or not.
[[nodiscard]] Result<std::vector<std::string>> container_ids(const image::Store& store);

// Everything that can be read, newest first; what can't be read is told in `problems` and does not
// keep the rest from being listed. A directory without a record is no problem here (prune.h).
struct Listing {
  std::vector<std::pair<Container, State>> containers;
  std::vector<Error> problems;
};
[[nodiscard]] Result<Listing> list(const image::Store& store);

// Held while its owner lives; inherited by fork. A container's monitor holds it while it runs.
class ContainerLock {
 public:
  // Waits at most so long: EBUSY after that. ENOENT if the container was removed meanwhile.
  [[nodiscard]] static Result<ContainerLock> take(const Files& files,
                                                  std::chrono::milliseconds timeout);

  [[nodiscard]] int fd() const { return fd_.get(); }

 private:
  explicit ContainerLock(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

// Stops a container from changing, for the time that a copy of its files takes: freezes what runs
// in it and thaws it at the end. What is not running needs no stop. Should the program be killed
// meanwhile, `strata stop`, `kill` and `rm -f` thaw.
class Pause {
 public:
  [[nodiscard]] static Result<Pause> of(const Container& container);
  Pause(Pause&&) noexcept = default;
  Pause& operator=(Pause&&) = delete;
  Pause(const Pause&) = delete;
  Pause& operator=(const Pause&) = delete;
  ~Pause();

 private:
  Pause() = default;
  std::optional<linux::Cgroup> frozen_;
};

}  // namespace strata::container
