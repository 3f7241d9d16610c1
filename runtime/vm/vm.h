// The VM baseline: an image run as a virtual machine, with the same command, environment, user and
// working directory as a container gets, so that the two can be compared.
//
//   prepare()  finds or fetches the kernel, makes the image's disk, decides on the accelerator:
//   what
//              takes long and is done once
//   run()      boots the guest, carries the command's streams, tells what became of it
//
// Thread rule: call from a single-threaded process (both start others).
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "runtime/image/store.h"
#include "runtime/vm/accelerator.h"
#include "runtime/vm/guest.h"
#include "runtime/vm/kernel.h"
#include "runtime/vm/machine.h"
#include "unionfs/base/result.h"

namespace strata::vm {

struct VmRequest {
  std::string image;  // as Store::get() takes it

  // As for a container; what isn't given is the image's.
  std::vector<std::string> command;       // in place of the image's CMD; its ENTRYPOINT stays
  std::optional<std::string> entrypoint;  // in place of ENTRYPOINT and CMD; empty: none
  std::vector<std::string> env;           // "NAME=value", or "NAME": ours
  std::string working_dir;
  std::string user;  // NAME|UID[:GROUP|GID]

  Machine machine = Machine::kMicrovm;
  std::optional<Accelerator> accelerator;  // none: KVM if it works, else TCG
  uint64_t memory_mib = 512;
  unsigned cpus = 1;
  std::optional<std::chrono::milliseconds> timeout;  // for the command, from the end of the boot
  bool verbose = false;                              // all kernel messages on the console

  // In place of the store's kernel; both or none.
  std::filesystem::path kernel;
  std::filesystem::path modules;
};

struct PreparedVm {
  VmRequest request;
  std::string image_id;
  std::vector<std::string> command;  // what is going to be executed; run() wants it not empty
  std::string config;                // for the guest, see protocol.h
  Kernel kernel;
  std::filesystem::path disk;
  Verdict accelerator;
};

// Errors: ENOENT no such image, no QEMU, …; EINVAL bad options. `report` is told
// what takes its time.
[[nodiscard]] Result<PreparedVm> prepare(const image::Store& store, const VmRequest& request,
                                         const Report& report);

struct VmReport {
  int exit_status = 0;  // the command's, as a shell has it; 124: `timeout` was over
  bool timed_out = false;
  std::string error;           // why the command was not run (exit_status is then 125, 126 or 127)
  bool out_of_memory = false;  // the guest's kernel killed something for lack of memory
  GuestTimes times;
};

// EINVAL: nothing to run. A guest that doesn't boot, panics or loses its QEMU is an Error (EIO,
// ETIMEDOUT) that quotes the end of its console.
[[nodiscard]] Result<VmReport> run(const PreparedVm& vm, const GuestStreams& streams);

// A JSON object: image, image_id, command, machine, accelerator, accelerator_reason, kernel,
// kernel_package, kernel_command_line, qemu_version, memory_mib, cpus, exit_status, timed_out,
// out_of_memory, error, times{started_ns, booted_ns, …; null for what it didn't come to}. Starts
// QEMU once more, for its version.
[[nodiscard]] Result<std::string> report_to_json(const PreparedVm& vm, const VmReport& report);

}  // namespace strata::vm
