// Leaving the file that a process was started from, without execve.
//
// The kernel lets a process have another file as its executable when none of its mappings is of the
// old one (replace_mm_exe_file in kernel/fork.c); a mapping of the same file by another mount is
// not of the old one. In a new mount namespace every mount is another.

#include <elf.h>
#include <fcntl.h>
#include <linux/prctl.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <span>

#include "runtime/linux/own_program.h"

// By the linker; weak, as a program of another layout may lack them.
extern "C" {
extern const char __ehdr_start[];  // NOLINT(bugprone-reserved-identifier): its name
extern const char etext[];
extern const char edata[];
}

namespace strata::linux {
namespace {

constexpr uintptr_t kPage = 4096;

uintptr_t address_of(const void* p) {
  return reinterpret_cast<uintptr_t>(p);
}

struct Pages {
  uintptr_t begin, end;
  [[nodiscard]] size_t size() const { return end - begin; }
  [[nodiscard]] void* data() const { return reinterpret_cast<void*>(begin); }  // NOLINT
};

// Of a part of the program as it lies in memory, whole pages.
Pages pages_of(uintptr_t base, uintptr_t offset, size_t size) {
  return {(base + offset) & ~(kPage - 1), (base + offset + size + kPage - 1) & ~(kPage - 1)};
}

int protection_of(const Elf64_Phdr& segment) {
  return ((segment.p_flags & PF_R) != 0 ? PROT_READ : 0) |
         ((segment.p_flags & PF_W) != 0 ? PROT_WRITE : 0) |
         ((segment.p_flags & PF_X) != 0 ? PROT_EXEC : 0);
}

// The same pages of the same file; replaced at once, so that even the code that does it may be
// among them.
int map_again(const Pages& pages, const Elf64_Phdr& segment, int file) {
  const auto offset = static_cast<off_t>(segment.p_offset & ~(kPage - 1));
  return ::mmap(pages.data(), pages.size(), protection_of(segment), MAP_PRIVATE | MAP_FIXED, file,
                offset) == MAP_FAILED
             ? -1
             : 0;
}

// What may have been written to is moved to memory of no file.
int copy_away(const Pages& pages) {
  void* copy = ::mmap(nullptr, pages.size(), PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (copy == MAP_FAILED) return -1;
  std::memcpy(copy, pages.data(), pages.size());
  return ::mremap(copy, pages.size(), pages.size(), MREMAP_MAYMOVE | MREMAP_FIXED, pages.data()) ==
                 MAP_FAILED
             ? -1
             : 0;
}

int leave_mappings(int file) {
  const uintptr_t base = address_of(__ehdr_start);
  const auto* header = reinterpret_cast<const Elf64_Ehdr*>(__ehdr_start);
  // Addresses in the headers count from the first segment's, which holds the file's beginning.
  const std::span segments(reinterpret_cast<const Elf64_Phdr*>(__ehdr_start + header->e_phoff),
                           header->e_phnum);
  uintptr_t bias = base;
  for (const auto& segment : segments)
    if (segment.p_type == PT_LOAD && segment.p_offset == 0) bias = base - segment.p_vaddr;
  for (const auto& segment : segments) {
    if (segment.p_type != PT_LOAD) continue;
    const Pages pages = pages_of(bias, segment.p_vaddr, segment.p_filesz);
    const bool written = (segment.p_flags & PF_W) != 0;
    if ((written ? copy_away(pages) : map_again(pages, segment, file)) < 0) return -1;
  }
  for (const auto& segment : segments) {
    if (segment.p_type != PT_GNU_RELRO) continue;
    Pages pages = pages_of(bias, segment.p_vaddr, segment.p_memsz);
    pages.end = (bias + segment.p_vaddr + segment.p_memsz) & ~(kPage - 1);  // the linker's rule
    if (pages.end > pages.begin && ::mprotect(pages.data(), pages.size(), PROT_READ) < 0) return -1;
  }
  return 0;
}

// All of the description has to be given; until execve nobody cares for the rest.
int set_executable(int file) {
  const uintptr_t heap = address_of(::sbrk(0));
  prctl_mm_map map{};
  map.start_code = address_of(__ehdr_start);
  map.end_code = address_of(etext);
  map.start_data = map.end_code;
  map.end_data = address_of(edata);
  map.start_brk = heap;
  map.brk = heap;
  map.start_stack = address_of(&map);
  map.arg_start = map.arg_end = map.env_start = map.env_end = map.start_stack;
  map.exe_fd = static_cast<uint32_t>(file);
  return ::prctl(PR_SET_MM, PR_SET_MM_MAP, &map, sizeof map, 0);
}

}  // namespace

int take_stand_in(const StandIn& stand_in) noexcept {
  if (!stand_in.file) return 0;
  const UniqueFd file(::open(stand_in.path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat opened {};
  struct stat run {};
  if (!file || ::fstat(file.get(), &opened) < 0 || ::stat("/proc/self/exe", &run) < 0) return -1;
  if (opened.st_dev != run.st_dev || opened.st_ino != run.st_ino) {
    errno = ESTALE;
    return -1;
  }
  return leave_mappings(file.get()) < 0 ? -1 : set_executable(stand_in.file.get());
}

}  // namespace strata::linux
