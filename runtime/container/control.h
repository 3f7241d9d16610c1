// What is done to a container from outside: signals, waiting, removal, recovery.
//
// Thread rule: functions are independent; several processes may work on one container.
#pragma once

#include <chrono>
#include <optional>

#include "runtime/container/container.h"
#include "unionfs/base/result.h"

namespace strata::container {

// Sends a signal to the container's first process. EINVAL if it does not run. SIGKILL reaches a
// frozen container, too.
[[nodiscard]] Result<void> kill(const Container& container, int signal);

// The stop signal, and SIGKILL if it still runs after `grace`. Returns when it has ended; what does
// not run is no error. ETIMEDOUT if even that did not end it.
[[nodiscard]] Result<void> stop(const Container& container, std::chrono::milliseconds grace);

// Stops a container whose user has lost touch with it: its output has nowhere to go, or its
// terminal was hung up. As stop() with a grace of ten seconds; without any if its first process
// left the signals that say so to the kernel, which then does not deliver them.
[[nodiscard]] Result<void> stop_abandoned(const Container& container, bool hung_up);

// Waits until the container does not run and returns its exit status; at once if it does not run,
// 0 if it never did. ECONNRESET if its monitor was killed: then nobody knows.
[[nodiscard]] Result<int> wait(const Container& container);

// Removes the container with its files. EBUSY if it runs, unless `force`: then it is killed first.
// A container that removes itself meanwhile is no error.
[[nodiscard]] Result<void> remove(const Container& container, bool force);

// Clears away what a dead container left: its processes, its cgroup. One that was to be removed on
// exit is removed (false), any other becomes an exited one (true). REQUIRES: the lock.
[[nodiscard]] Result<bool> recover(const Container& container, const ContainerLock& lock);

// Takes the lock of a container that is to be started: EBUSY if it runs; recovers a dead one.
[[nodiscard]] Result<ContainerLock> lock_for_start(const Container& container);

// The last step of a removal: name, record, directory. REQUIRES: the lock is held, nothing of the
// container runs.
[[nodiscard]] Result<void> remove_files(const Container& container);

}  // namespace strata::container
