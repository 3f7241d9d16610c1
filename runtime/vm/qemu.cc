#include "runtime/vm/qemu.h"

#include <sys/stat.h>
#include <time.h>
#if defined(__x86_64__)
#include <x86intrin.h>
#endif

#include "runtime/vm/protocol.h"
#include "unionfs/base/subprocess.h"

namespace strata::vm {
namespace {

// In QEMU's options a comma ends a value; two of them are one.
std::string escape(std::string_view value) {
  std::string escaped;
  for (const char c : value) {
    escaped.push_back(c);
    if (c == ',') escaped.push_back(c);
  }
  return escaped;
}

std::string fd_socket(const char* id, int fd) {
  return std::string("socket,id=") + id + ",fd=" + std::to_string(fd);
}

std::string machine_option(Machine machine) {
  // microvm: ACPI tables name the virtio-mmio devices, which a modular kernel can't be told of on
  // its command line; timers stay as they are by default, Linux needs one to start from.
  if (machine == Machine::kMicrovm) return "microvm,acpi=on";
  return "q35,vmport=off";
}

std::string cpu_option(Accelerator accelerator) {
  // TCG does "rep stosb" byte by byte. Without ERMS the kernel clears pages by words instead.
  return accelerator == Accelerator::kKvm ? "host" : "max,-erms";
}

}  // namespace

std::string kernel_command_line(const QemuPlan& plan) {
  std::string line = "console=ttyS0 panic=-1";  // a panic restarts at once, and QEMU then ends
  line += plan.verbose ? " ignore_loglevel" : " quiet";
  if (plan.hardware.accelerator == Accelerator::kKvm) return line;
  if (plan.tsc_khz) {
    line += " tsc_early_khz=" + std::to_string(*plan.tsc_khz);
    line += " tsc=reliable";  // no second measurement
  }
  line += " cryptomgr.notests";  // self-tests of ciphers that nobody is going to use: 0.25 s
  line += " init_on_alloc=0";    // clearing each page twice: 0.08 s
  // Taking lock prefixes out, by rewriting code that was translated already: 0.1 s.
  if (plan.hardware.cpus == 1) line += " noreplace-smp";
  return line;
}

std::vector<std::string> qemu_command_line(const QemuPlan& plan) {
  const auto& hardware = plan.hardware;
  const bool is_microvm = hardware.machine == Machine::kMicrovm;
  const std::string bus = is_microvm ? "-device" : "-pci-non-transitional";
  std::vector<std::string> argv{
      kQemu, "-no-user-config", "-nodefaults", "-display", "none", "-no-reboot",
      // the machine
      "-machine", machine_option(hardware.machine), "-accel",
      std::string(to_string(hardware.accelerator)), "-cpu", cpu_option(hardware.accelerator), "-m",
      std::to_string(hardware.memory_mib) + "M", "-smp", std::to_string(hardware.cpus),
      // what it boots
      "-kernel", plan.kernel.string(), "-initrd", "/proc/self/fd/" + std::to_string(kInitramfsFd),
      "-append", kernel_command_line(plan),
      // the console and the channel, and the quick way out
      "-chardev", fd_socket("console", kConsoleFd), "-serial", "chardev:console", "-chardev",
      fd_socket("channel", kChannelFd), "-device", "virtio-serial" + bus + ",max_ports=2",
      "-device", "virtserialport,chardev=channel,nr=1", "-device",
      "isa-debug-exit,iosize=1,iobase=" + std::to_string(kDebugExitPort)};
  const auto add = [&](std::initializer_list<std::string> options) {
    argv.insert(argv.end(), options);
  };
  if (is_microvm) add({"-global", "virtio-mmio.force-legacy=false"});
  if (plan.disk)
    add({"-blockdev",
         "driver=raw,node-name=image,read-only=on,file.driver=file,file.filename=" +
             escape(plan.disk->string()),
         "-device", "virtio-blk" + bus + ",drive=image"});
  return argv;
}

std::optional<uint64_t> measure_tsc_khz() {
#if defined(__x86_64__)
  struct Sample {
    uint64_t ticks;
    int64_t ns;
  };
  const auto sample = [] {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC_RAW, &now);
    return Sample{__rdtsc(), int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec};
  };
  const Sample first = sample();
  const timespec pause{0, 2'000'000};
  ::nanosleep(&pause, nullptr);
  const Sample last = sample();
  const auto elapsed_ns = static_cast<uint64_t>(last.ns - first.ns);
  if (last.ticks <= first.ticks || elapsed_ns == 0) return std::nullopt;
  return (last.ticks - first.ticks) * 1'000'000 / elapsed_ns;
#else
  return std::nullopt;
#endif
}

Result<std::string> qemu_version() {
  STRATA_TRY(const auto done, run_checked({.argv = {kQemu, "--version"}}));
  return done.out.substr(0, done.out.find('\n'));
}

Result<std::string> qemu_identity() {
  const auto path = find_program(kQemu);
  if (!path)
    return fail(ENOENT, std::string(kQemu) + " is not here: install the package qemu-system-x86");
  struct stat st {};
  if (::stat(path->c_str(), &st) < 0) return fail_errno("stat " + *path);
  return *path + " " + std::to_string(st.st_size) + " " + std::to_string(st.st_mtim.tv_sec);
}

}  // namespace strata::vm
