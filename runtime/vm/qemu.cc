#include "runtime/vm/qemu.h"

namespace strata::vm {
namespace {

// quiet: what the kernel prints costs a serial port's exits. Self-tests, allocation clearing and
// alternatives for more CPUs cost an emulated CPU tens of milliseconds each.
constexpr const char* kKernelCommandLine =
    "console=ttyS0 quiet panic=-1 tsc=reliable cryptomgr.notests noreplace-smp init_on_alloc=0";

void add_port(std::vector<std::string>& line, const std::string& bus, int fd, int number) {
  const std::string n = std::to_string(number);
  // append: otherwise QEMU would truncate the file, and a pipe can't be.
  line.insert(line.end(), {"-add-fd", "fd=" + std::to_string(fd) + ",set=" + n, "-chardev",
                           "file,id=port" + n + ",append=on,path=/dev/fdset/" + n, "-device",
                           "virtserialport,bus=" + bus + ".0,chardev=port" + n + ",nr=" + n});
}

}  // namespace

std::string_view name_of(Machine machine) {
  return machine == Machine::kMicrovm ? "microvm" : "q35";
}

std::string_view name_of(Accelerator accelerator) {
  return accelerator == Accelerator::kKvm ? "kvm" : "tcg";
}

std::vector<std::string> qemu_command_line(const Request& request, const std::string& program,
                                           const QemuFiles& files) {
  const bool microvm = request.machine == Machine::kMicrovm;
  const bool kvm = request.accelerator == Accelerator::kKvm;
  // microvm's virtio devices stand in ACPI tables: they can't be given on this kernel's command
  // line. force-legacy=false: the modern virtio transport.
  const std::string suffix = microvm ? "device" : "pci";
  std::vector<std::string> line{
      program, "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-machine",
      microvm ? "microvm,acpi=on" : "q35,sata=off,smbus=off,vmport=off,usb=off", "-accel",
      kvm ? "kvm" : "tcg",
      // TCG emulates `rep movsb` byte by byte; without ERMS the kernel copies words.
      "-cpu", kvm ? "host" : "max,-erms", "-m", std::to_string(request.memory_mib), "-kernel",
      request.kernel.image.string(), "-initrd", "/proc/self/fd/" + std::to_string(files.initramfs),
      "-append", kKernelCommandLine, "-device", "isa-debug-exit,iobase=0xf4,iosize=0x04", "-drive",
      "if=none,id=image,format=raw,readonly=on,file=" + request.disk.string(), "-device",
      "virtio-blk-" + suffix + ",drive=image", "-device", "virtio-serial-" + suffix + ",id=ports"};
  if (microvm) line.insert(line.end(), {"-global", "virtio-mmio.force-legacy=false"});
  add_port(line, "ports", files.out, 1);
  add_port(line, "ports", files.err, 2);
  add_port(line, "ports", files.status, 3);
  line.insert(line.end(),
              {"-add-fd", "fd=" + std::to_string(files.console) + ",set=4", "-chardev",
               "file,id=console,append=on,path=/dev/fdset/4", "-serial", "chardev:console"});
  return line;
}

}  // namespace strata::vm
