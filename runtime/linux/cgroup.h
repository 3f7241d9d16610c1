// One container's cgroup in every hierarchy of the host: v1 controllers, the v2 tree, or both
// ("hybrid"). The rest of the runtime does not know which.
//
// What is created, since each directory costs a start some 40 to 80 µs on v1:
//   v2 alone    one directory, with the controllers memory, pids, cpu, cpuset as far as there
//   hybrid      the v2 tree (kills, freezes and counts CPU time without any controller), and the
//               v1 controllers memory, pids, devices
//   v1 alone    memory, pids, devices, freezer, cpuacct
// The other v1 controllers only when a limit asks for them, or an observer (cpuacct, blkio: engines
// read there what a container uses, and would read the host's). The parent ("/strata") stays
// when the last container is gone, as docker's does.
//
// Devices: the v1 controller where there is one, else a BPF_PROG_TYPE_CGROUP_DEVICE program. What
// every container may use (null, zero, full, random, urandom, tty, console, ptmx, pts/*, mknod of
// anything) is added to the rules given; no rules at all mean these alone.
//
// Source: Documentation/admin-guide/cgroup-v1/, cgroup-v2.rst; kernel/cgroup/cgroup.c.
// Thread rule: one owner; the static functions may be called from anywhere.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/oci/spec.h"
#include "unionfs/base/result.h"
#include "unionfs/base/unique_fd.h"

namespace strata::linux {

struct CgroupStats {
  std::optional<uint64_t> memory_bytes, memory_peak_bytes;
  std::optional<uint64_t> cpu_ns;
  std::optional<uint64_t> pids;
  bool oom_killed = false;
};

// Whether somebody else looks at the control files of the cgroup.
enum class CgroupObserver { kNone, kEngine };

class Cgroup {
 public:
  struct Directory {
    std::string path;                      // absolute
    std::vector<std::string> controllers;  // empty for the v2 tree
    bool unified = false;
    UniqueFd fd;  // O_PATH
  };

  // Creates `path` ("/strata/<id>", below each hierarchy's mount) and applies `resources`; a
  // resource for which no controller is there is ENOTSUP by name, never ignored. EEXIST if it is
  // there already. Rolls back on failure.
  [[nodiscard]] static Result<Cgroup> create(const std::string& path,
                                             const oci::Resources& resources,
                                             CgroupObserver observer = CgroupObserver::kNone);

  // For a user without privileges: in those hierarchies alone where this user may make directories
  // and move processes to them, so maybe in none; without device rules, since there are no devices
  // to be made. A limit that can't be set so is an error that says why.
  [[nodiscard]] static Result<Cgroup> create_where_permitted(const std::string& path,
                                                             const oci::Resources& resources);

  // "/user.slice/…": beside the cgroup that we are in, where a v2 tree is delegated to us. Empty
  // without a v2 tree.
  [[nodiscard]] static std::string own_parent();

  // Changes the limits that are set in `resources`; its device rules are not looked at. For a limit
  // whose v1 controller was not needed before, a directory is made and the processes are moved
  // there, which takes some 10 ms each.
  [[nodiscard]] Result<void> update(const oci::Resources& resources);

  // The handle of a cgroup that exists, e.g. one that another process created; missing hierarchies
  // are fine.
  [[nodiscard]] static Cgroup existing(const std::string& path);

  // How a process gets in. launch() knows: a child is cloned into the v2 directory
  // (CLONE_INTO_CGROUP) and moves itself into the v1 ones by writing "0" to `tasks`. Moving a
  // process from outside (cgroup.procs) waits for an RCU grace period on v1, about 10 ms
  // (cgroup_procs_write_start), so it is not offered.
  [[nodiscard]] const std::vector<Directory>& directories() const { return directories_; }

  // Kills everything inside, thawing first (a v1 freezer holds processes even against SIGKILL).
  // Returns when all have been sent the signal, not when they are gone.
  [[nodiscard]] Result<void> kill_all() const;

  // Both return when the state is reached. ENOTSUP if the host has neither freezer.
  [[nodiscard]] Result<void> freeze() const;
  [[nodiscard]] Result<void> thaw() const;

  [[nodiscard]] CgroupStats stats() const;
  [[nodiscard]] std::vector<pid_t> processes() const;

  // Removes the directories (with those that the container made below); waits shortly for exiting
  // processes, then EBUSY. Absence is success.
  [[nodiscard]] Result<void> remove() const;

 private:
  // The directory that holds a controller: the v1 one, else the v2 one, else nullptr.
  [[nodiscard]] const Directory* v1(std::string_view controller) const;
  [[nodiscard]] const Directory* unified() const;
  [[nodiscard]] Result<void> add_directory(const struct CgroupHierarchy& hierarchy,
                                           const std::string& path);
  [[nodiscard]] Result<void> move_processes(const Directory& directory) const;
  std::string path_;
  std::vector<Directory> directories_;
};

}  // namespace strata::linux
