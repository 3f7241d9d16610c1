#include "runtime/vm/initramfs.h"

#include <fcntl.h>
#include <sys/mman.h>

#include <span>

#include "runtime/vm/cpio.h"
#include "runtime/vm/module_set.h"
#include "unionfs/base/stream.h"

// The init program's bytes. `.incbin` is gas's own way to put a file into an object.
asm(R"(
.section .rodata
.balign 16
strata_vm_init_start:
.incbin ")" STRATA_VM_INIT R"("
strata_vm_init_end:
.byte 0
.previous
)");

extern "C" {
extern const char strata_vm_init_start[];
extern const char strata_vm_init_end[];
}

namespace strata::vm {
namespace {

std::string names_of(const std::vector<Module>& modules) {
  std::string names;
  for (const auto& module : modules) names += module.name + "\n";
  if (!names.empty()) names.pop_back();
  return names;
}

}  // namespace

std::vector<std::string> channel_modules(Machine machine) {
  return {machine == Machine::kMicrovm ? "virtio_mmio" : "virtio_pci", "virtio_console"};
}

std::vector<std::string> root_modules() {
  return {"virtio_blk", "erofs", "overlay"};
}

std::vector<std::string> all_modules() {
  std::vector<std::string> all = root_modules();
  for (const auto machine : {Machine::kMicrovm, Machine::kQ35})
    for (auto& name : channel_modules(machine)) all.push_back(std::move(name));
  return all;  // some twice, which does no harm
}

std::string_view init_program() {
  return {strata_vm_init_start, strata_vm_init_end};
}

Result<std::string> make_initramfs(const Kernel& kernel, Machine machine) {
  STRATA_TRY(const ModuleSet set, ModuleSet::open(kernel.modules));
  STRATA_TRY(const auto channel, set.resolve(channel_modules(machine)));
  auto wanted = channel_modules(machine);
  const auto root_wanted = root_modules();
  wanted.insert(wanted.end(), root_wanted.begin(), root_wanted.end());
  // Resolved together, so that what the channel has loaded isn't loaded again; the channel's come
  // first, since they were asked for first.
  STRATA_TRY(const auto all, set.resolve(wanted));
  const std::vector<Module> root(all.begin() + static_cast<ptrdiff_t>(channel.size()), all.end());

  CpioWriter cpio;
  cpio.add_file("init", init_program(), 0755);
  cpio.add_directory("modules");
  cpio.add_file("modules/channel", names_of(channel));
  cpio.add_file("modules/root", names_of(root));
  for (const auto& module : all) cpio.add_file("modules/" + module.name, module.content);
  return std::move(cpio).finish();
}

Result<UniqueFd> make_initramfs_file(const Kernel& kernel, Machine machine) {
  STRATA_TRY(const std::string archive, make_initramfs(kernel, machine));
  UniqueFd fd(::memfd_create("initramfs", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd) return fail_errno("make a file in memory for the initramfs");
  FdSink sink(fd.get(), "initramfs");
  STRATA_CHECK(sink.write(std::as_bytes(std::span(archive))));
  if (::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
    return fail_errno("seal the initramfs");
  return fd;
}

}  // namespace strata::vm
