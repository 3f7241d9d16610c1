// Work in a process of its own, for what can't be undone (a seccomp filter) or must not touch ours
// (mounts), timed from inside.
//
// Thread rule: single-threaded process only (clone without exec).
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>

namespace strata::bench::micro {

// clone3(2) with `flags` (namespaces); the child ends at once, the parent waits for it. False with
// errno set when the kernel refuses.
[[nodiscard]] bool clone_and_wait(uint64_t flags);

// Runs `work` in a child cloned with `flags` and gives the time that `work` took, or nullopt with
// errno set where clone or `work` (by returning false with errno set) failed.
[[nodiscard]] std::optional<std::chrono::duration<double>> time_in_child(
    uint64_t flags, const std::function<bool()>& work);

}  // namespace strata::bench::micro
