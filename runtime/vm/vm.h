// The virtual machine baseline: the same image with the same command, booted by QEMU with the
// kernel of Debian's linux-image-cloud-amd64.
//
// Kernel and disks are kept in the store's vm/:
//   vm/kernel/<version>/{vmlinuz,modules/*.ko}   unpacked from the package, never installed
//   vm/disks/<image ID>.erofs                    the image's merged tree, read-only
//   vm/kvm.json                                  whether a guest was seen to boot under KVM
// Each appears by rename when it is complete.
//
// The guest: init/init.c loads the modules, mounts the disk below a tmpfs overlay, runs the
// command and reports its status. Three virtio-serial ports carry standard output, standard error
// and the status; the kernel's console goes elsewhere and is quoted when something goes wrong.
//
// Thread rule: single-threaded callers; mounts are made in a private mount namespace.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "runtime/image/store.h"
#include "unionfs/base/result.h"

namespace strata::vm {

enum class Machine { kMicrovm, kQ35 };
enum class Accelerator { kKvm, kTcg };

[[nodiscard]] std::string_view name_of(Machine machine);
[[nodiscard]] std::string_view name_of(Accelerator accelerator);

struct Kernel {
  std::string version;            // "6.1.0-56-cloud-amd64"
  std::filesystem::path image;    // bzImage
  std::filesystem::path modules;  // directory of *.ko
};

// The unpacked kernel; fetched with apt-get first if none is there. Errors name the remedy.
[[nodiscard]] Result<Kernel> find_kernel(const image::Store& store);

// The image's disk; made with mkfs.erofs first if it is not there.
[[nodiscard]] Result<std::filesystem::path> find_disk(const image::Store& store,
                                                      const image::Image& image);

struct Command {
  std::vector<std::string> args, env;  // REQUIRES: args not empty
  std::string working_dir, user;       // user: "", a number or a name of the image, [":" group]
};

// CMD, ENTRYPOINT, environment and user of the image, with `args` in CMD's place.
[[nodiscard]] Result<Command> command_for(const image::Image& image,
                                          const std::vector<std::string>& args);

struct Request {
  Machine machine = Machine::kMicrovm;
  Accelerator accelerator = Accelerator::kTcg;
  unsigned memory_mib = 256;
  Kernel kernel;
  std::filesystem::path disk;
  Command command;
  std::optional<std::chrono::milliseconds> timeout;
  bool discard_output = false;  // the guest's output goes nowhere (boot attempts, reports)
};

struct Report {
  int exit_status = 0;                      // the command's; 126 or 127 if it could not be run
  std::chrono::nanoseconds first_output{};  // since QEMU was started; 0: it wrote nothing
  std::chrono::nanoseconds total{};
  std::vector<std::string> qemu;  // command line
};

// Boots, runs, ends. The guest's output goes to our standard output and error as it comes. Errors:
// ENOENT no QEMU; ETIMEDOUT; EIO the guest ended without a status, with the end of its console.
// QEMU dies with the caller.
[[nodiscard]] Result<Report> run(const Request& request);

struct AcceleratorVerdict {
  Accelerator accelerator = Accelerator::kTcg;
  std::string reason;  // "no /dev/kvm", "kvm was tried, the guest did not boot within 5 s", …
};

// KVM only if a guest is seen to boot under it: some hosts offer a /dev/kvm that starts a tiny
// guest and cannot boot a kernel, and the attempt does not fail, it hangs. Tried once, for at most
// a few seconds, and remembered until the kernel, QEMU or the boot changes.
[[nodiscard]] Result<AcceleratorVerdict> choose_accelerator(const image::Store& store,
                                                            const Request& request);

}  // namespace strata::vm
