// Build tool: compiles the default profile into a filter program and writes it as C++.
//
// Usage: strata-seccomp-gen OUTPUT.cc
//
// libseccomp gives the system calls' numbers; the program is laid out here, since installing a
// filter takes time in proportion to its length, and that time is a part of every start. The
// allowed numbers make few runs, so a binary tree over the runs' borders is a fifth as long as a
// tree over the numbers. tests/linux/seccomp_test.cc holds it against libseccomp's own program.

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>
#include <vector>

#include "runtime/linux/seccomp_layout.h"
#include "runtime/linux/seccomp_profile.h"

namespace {

using namespace strata::linux;

constexpr uint32_t kX32Bit = 0x40000000;

Verdict verdict_of(std::string_view name) {
  if (name == "clone") return Verdict::kClone;
  if (name == "clone3") return Verdict::kUnknown;
  if (name == "socket") return Verdict::kSocket;
  if (name == "personality") return Verdict::kPersonality;
  for (const auto allowed : allowed_syscalls())
    if (allowed == name) return Verdict::kAllow;
  return Verdict::kRefuse;
}

// By number, not by name: for a name that i386 also multiplexes through socketcall(2) or ipc(2),
// libseccomp answers with a pseudo number.
void set_known(Runs& runs, uint32_t architecture, uint32_t first, uint32_t last, uint32_t bit) {
  for (uint32_t number = first; number <= last; ++number) {
    char* name = ::seccomp_syscall_resolve_num_arch(architecture, static_cast<int>(bit | number));
    if (name == nullptr) continue;
    runs.set(number, verdict_of(name));
    std::free(name);
  }
}

void set_numbered(Runs& runs) {
  for (const auto& numbered : allowed_numbered_syscalls())
    runs.set(numbered.number, Verdict::kAllow);
}

std::vector<Runs::Run> runs_of_x86() {
  Runs runs(Verdict::kRefuse);
  set_known(runs, SCMP_ARCH_X86, 0, kLastNamedSyscall, 0);
  set_numbered(runs);
  runs.set_rest(kLastKnownSyscall + 1, Verdict::kUnknown);
  return runs.merged();
}

// x32 calls are x86-64's with a bit set, so one table serves both once the bit is gone: a number
// means the same on both or does not exist on one of them, where the kernel says ENOSYS whatever
// the filter says. x32's own stand behind the others.
std::vector<Runs::Run> runs_of_x86_64() {
  constexpr uint32_t kFirstOfX32 = 512;
  constexpr uint32_t kLastOfX32 = 547;
  Runs runs(Verdict::kRefuse);
  set_known(runs, SCMP_ARCH_X86_64, 0, kLastNamedSyscall, 0);
  set_numbered(runs);
  runs.set(kUretprobe, Verdict::kAllow);
  runs.set_rest(kLastKnownSyscall + 1, Verdict::kUnknown);
  set_known(runs, SCMP_ARCH_X32, kFirstOfX32, kLastOfX32, kX32Bit);
  return runs.merged();
}

size_t low_half(size_t argument) {
  return offsetof(seccomp_data, args) + argument * sizeof(uint64_t);
}
size_t high_half(size_t argument) {
  return low_half(argument) + sizeof(uint32_t);
}

// The first argument, of 64 bits: its low half is one of `values`, its high half nothing.
void check_values(Assembler& out, const Checks& checks, Label start,
                  std::span<const unsigned> values) {
  Runs runs(Verdict::kRefuse);
  for (const unsigned value : values) runs.set(value, Verdict::kAllow);
  const Label refuse = out.make_label();
  const Label search = out.make_label();
  out.bind(start);
  out.load(high_half(0));
  out.branch(BPF_JEQ, 0, search, refuse);
  out.bind(refuse);
  out.answer(SECCOMP_RET_ERRNO | EPERM);
  out.bind(search);
  out.load(low_half(0));
  Search(out, checks).emit(runs.merged());
}

void check_clone(Assembler& out, Label start) {
  const Label refuse = out.make_label();
  const Label allow = out.make_label();
  out.bind(start);
  out.load(low_half(0));
  out.branch(BPF_JSET, kForbiddenCloneFlags, refuse, allow);
  out.bind(refuse);
  out.answer(SECCOMP_RET_ERRNO | EPERM);
  out.bind(allow);
  out.answer(SECCOMP_RET_ALLOW);
}

std::vector<sock_filter> compile() {
  Assembler out;
  const Checks checks{out.make_label(), out.make_label(), out.make_label()};
  const Label x86_64 = out.make_label();
  const Label not_x86_64 = out.make_label();
  const Label x86 = out.make_label();
  const Label alien = out.make_label();
  out.load(offsetof(seccomp_data, arch));
  out.branch(BPF_JEQ, AUDIT_ARCH_X86_64, x86_64, not_x86_64);
  out.bind(x86_64);
  out.load(offsetof(seccomp_data, nr));
  out.drop_bits(kX32Bit);
  Search(out, checks).emit(runs_of_x86_64());
  out.bind(not_x86_64);
  out.branch(BPF_JEQ, AUDIT_ARCH_I386, x86, alien);
  out.bind(alien);
  out.answer(SECCOMP_RET_KILL_THREAD);
  out.bind(x86);
  out.load(offsetof(seccomp_data, nr));
  Search(out, checks).emit(runs_of_x86());

  check_values(out, checks, checks.socket, allowed_socket_families());
  check_values(out, checks, checks.personality, allowed_personalities());
  check_clone(out, checks.clone);
  return out.link();
}

// Each name of the profile must be one that libseccomp knows: a misspelt one would silently be
// refused.
bool names_are_known() {
  bool known = true;
  for (const auto name : allowed_syscalls()) {
    if (::seccomp_syscall_resolve_name(std::string(name).c_str()) != __NR_SCMP_ERROR) continue;
    std::fprintf(stderr, "strata-seccomp-gen: unknown system call '%s'\n",
                 std::string(name).c_str());
    known = false;
  }
  return known;
}

bool write(const char* path, const std::vector<sock_filter>& program) {
  FILE* out = std::fopen(path, "w");
  if (out == nullptr) return false;
  std::fprintf(out,
               "// Written by strata-seccomp-gen from runtime/linux/seccomp_profile.cc.\n"
               "#include \"runtime/linux/seccomp.h\"\n\n"
               "namespace strata::linux {\n\n"
               "std::span<const sock_filter> default_seccomp_filter() {\n");
  if (program.empty()) {
    std::fprintf(out, "  return {};\n");
  } else {
    std::fprintf(out, "  static constexpr sock_filter kFilter[] = {\n");
    for (const auto& instruction : program)
      std::fprintf(out, "      {0x%02x, %u, %u, 0x%08x},\n", unsigned{instruction.code},
                   unsigned{instruction.jt}, unsigned{instruction.jf}, instruction.k);
    std::fprintf(out, "  };\n  return kFilter;\n");
  }
  std::fprintf(out, "}\n\n}  // namespace strata::linux\n");
  return std::fclose(out) == 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "Usage: strata-seccomp-gen OUTPUT.cc\n");
    return 2;
  }
  if (!names_are_known()) return 1;
  const bool native = ::seccomp_arch_native() == SCMP_ARCH_X86_64;
  if (!write(argv[1], native ? compile() : std::vector<sock_filter>())) {
    std::perror(argv[1]);
    return 1;
  }
  return 0;
}
