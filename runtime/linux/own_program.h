// Keeping the host's own program out of a container's reach.
//
// A process that enters a container can be made to execute /proc/self/exe: by that name, as the
// interpreter of a script, or as an ELF interpreter of what stands in place of the program asked
// for. It is then the host's `strata`, among the container's processes, and its file can be opened
// for writing through /proc/<pid>/exe by a container's root without a user namespace
// (CVE-2019-5736). There are two ways out of it:
//
//   a stand-in        the child maps its program anew, by the mounts of its own mount namespace,
//                     and makes an empty sealed file its executable: /proc/self/exe is nothing
//                     that could be run or written to. Some 40 µs, in the child.
//   a read-only mount this program executes itself once more, from such a mount of its file. Some
//                     400 µs. For processes that enter a container which runs already.
//
// Thread rule: single-threaded processes only.
#pragma once

#include <string>

#include "unionfs/base/result.h"
#include "unionfs/base/unique_fd.h"

namespace strata::linux {

// Executes this program once more, with the same arguments and environment, from a read-only
// detached mount of its file, where it returns at once. REQUIRES: called before anything was done
// that execve would undo (descriptors that are not close-on-exec are kept). `argv` is main()'s;
// null: whatever the kernel knows of it. Who may not mount
// runs a sealed copy in memory instead.
[[nodiscard]] Result<void> run_from_read_only_mount(char* const* argv);

// The same unless launch() can use a stand-in: for programs that make containers whose processes
// nobody sees before they run.
[[nodiscard]] Result<void> guard_own_program(char* const* argv);

// What a child needs to take a stand-in.
struct StandIn {
  UniqueFd file;     // none: it must not, or need not, be taken
  std::string path;  // of our program
};
[[nodiscard]] StandIn make_stand_in();

// In a child with a mount namespace of its own that is a copy of its parent's. 0, or -1 with errno.
// Async-signal-safe.
[[nodiscard]] int take_stand_in(const StandIn& stand_in) noexcept;

}  // namespace strata::linux
