// strata-bench-kvm-floor: the least that a virtual machine monitor can do with KVM, as the lower
// bound of any VM's start: create a VM with one page of memory and one virtual CPU, run three
// instructions, end.
//
// The guest writes one byte to a port; the byte is passed on to standard output, so that 'first
// byte' means here what it means for every other target: the first that the started program wrote.
//
// Compare: Documentation/virt/kvm/api.rst, "KVM_RUN".

#include <fcntl.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

constexpr size_t kPage = 4096;

// 16-bit real mode:  mov al,'s';  out 0xe9,al;  hlt
constexpr std::array<uint8_t, 5> kGuest{0xb0, 's', 0xe6, 0xe9, 0xf4};

[[noreturn]] void die(const char* what) {
  std::fprintf(stderr, "strata-bench-kvm-floor: %s: %s\n", what, std::strerror(errno));
  std::exit(125);
}

int checked(int result, const char* what) {
  if (result < 0) die(what);
  return result;
}

void* map(size_t size, int flags, int fd, const char* what) {
  void* address = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, flags, fd, 0);
  if (address == MAP_FAILED) die(what);
  return address;
}

void load_guest(int vm) {
  void* memory = map(kPage, MAP_SHARED | MAP_ANONYMOUS, -1, "guest memory");
  std::memcpy(memory, kGuest.data(), kGuest.size());
  kvm_userspace_memory_region region{};
  region.memory_size = kPage;
  region.userspace_addr = reinterpret_cast<uint64_t>(memory);
  checked(::ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region), "KVM_SET_USER_MEMORY_REGION");
}

void point_at_guest(int cpu) {
  kvm_sregs sregs{};
  checked(::ioctl(cpu, KVM_GET_SREGS, &sregs), "KVM_GET_SREGS");
  sregs.cs.base = 0;
  sregs.cs.selector = 0;
  checked(::ioctl(cpu, KVM_SET_SREGS, &sregs), "KVM_SET_SREGS");
  kvm_regs regs{};
  regs.rflags = 2;  // the one bit that is always set
  checked(::ioctl(cpu, KVM_SET_REGS, &regs), "KVM_SET_REGS");
}

// Until the guest halts.
void run_guest(int cpu, const kvm_run& run) {
  while (true) {
    checked(::ioctl(cpu, KVM_RUN, 0), "KVM_RUN");
    switch (run.exit_reason) {
      case KVM_EXIT_IO: {
        const auto* byte = reinterpret_cast<const char*>(&run) + run.io.data_offset;
        if (::write(STDOUT_FILENO, byte, 1) != 1) die("write");
        break;
      }
      case KVM_EXIT_HLT:
        return;
      default:
        std::fprintf(stderr, "strata-bench-kvm-floor: unexpected exit reason %u\n",
                     run.exit_reason);
        std::exit(125);
    }
  }
}

}  // namespace

int main() {
  const int kvm = checked(::open("/dev/kvm", O_RDWR | O_CLOEXEC), "open /dev/kvm");
  const int vm = checked(::ioctl(kvm, KVM_CREATE_VM, 0), "KVM_CREATE_VM");
  load_guest(vm);
  const int cpu = checked(::ioctl(vm, KVM_CREATE_VCPU, 0), "KVM_CREATE_VCPU");
  const auto size = static_cast<size_t>(
      checked(::ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0), "KVM_GET_VCPU_MMAP_SIZE"));
  const auto* run = static_cast<const kvm_run*>(map(size, MAP_SHARED, cpu, "kvm_run"));
  point_at_guest(cpu);
  run_guest(cpu, *run);
  return 0;
}
