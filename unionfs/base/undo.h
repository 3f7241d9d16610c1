// Undo: roll-back steps that run in reverse order unless release() was reached.
//
//   Undo undo;
//   STRATA_CHECK(make_cgroup(path));
//   undo.add([&] { remove_cgroup(path); });
//   …
//   undo.release();  // all is well: keep everything
//
// Steps must not throw. Thread rule: one owner.
#pragma once

#include <functional>
#include <utility>
#include <vector>

namespace strata {

class Undo {
 public:
  Undo() = default;
  Undo(const Undo&) = delete;
  Undo& operator=(const Undo&) = delete;
  Undo(Undo&& other) noexcept : steps_(std::exchange(other.steps_, {})) {}
  Undo& operator=(Undo&&) = delete;
  ~Undo() { run(); }

  void add(std::function<void()> step) { steps_.push_back(std::move(step)); }

  // Keeps everything: forgets the steps.
  void release() { steps_.clear(); }

  // Rolls back now, last step first.
  void run() {
    for (auto steps = std::exchange(steps_, {}); !steps.empty(); steps.pop_back()) steps.back()();
  }

 private:
  std::vector<std::function<void()>> steps_;
};

}  // namespace strata
