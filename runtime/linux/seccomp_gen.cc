// Build tool: compiles the default profile with libseccomp and writes the filter as C++.
//
// Usage: strata-seccomp-gen OUTPUT.cc
//
// In front of libseccomp's program stand a few instructions of ours that decide on the system calls
// which it can't name (seccomp_profile.h).

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "runtime/linux/seccomp_profile.h"

namespace {

using namespace strata::linux;

void check(int rc, const std::string& what) {
  if (rc == 0) return;
  std::fprintf(stderr, "strata-seccomp-gen: %s: error %d\n", what.c_str(), -rc);
  std::exit(1);
}

void add(scmp_filter_ctx context, uint32_t action, std::string_view name,
         const std::vector<scmp_arg_cmp>& arguments = {}) {
  const std::string text(name);
  const int number = ::seccomp_syscall_resolve_name(text.c_str());
  if (number == __NR_SCMP_ERROR) check(-ENOSYS, "unknown system call " + text);
  check(::seccomp_rule_add_array(context, action, number, static_cast<unsigned>(arguments.size()),
                                 arguments.data()),
        "rule for " + text);
}

std::vector<sock_filter> compile_profile() {
  scmp_filter_ctx context = ::seccomp_init(SCMP_ACT_ERRNO(EPERM));
  if (context == nullptr) check(-ENOMEM, "seccomp_init");
  check(::seccomp_arch_add(context, SCMP_ARCH_X86), "add x86");
  check(::seccomp_arch_add(context, SCMP_ARCH_X32), "add x32");
  check(::seccomp_attr_set(context, SCMP_FLTATR_CTL_OPTIMIZE, 2), "ask for a binary tree");

  for (const auto name : allowed_syscalls()) add(context, SCMP_ACT_ALLOW, name);
  for (const unsigned family : allowed_socket_families())
    add(context, SCMP_ACT_ALLOW, "socket", {SCMP_A0_64(SCMP_CMP_EQ, family)});
  for (const unsigned value : allowed_personalities())
    add(context, SCMP_ACT_ALLOW, "personality", {SCMP_A0_64(SCMP_CMP_EQ, value)});
  add(context, SCMP_ACT_ALLOW, "clone", {SCMP_A0_64(SCMP_CMP_MASKED_EQ, kForbiddenCloneFlags, 0)});
  add(context, SCMP_ACT_ERRNO(ENOSYS), "clone3");

  const int file = ::memfd_create("filter", MFD_CLOEXEC);
  check(::seccomp_export_bpf(context, file), "seccomp_export_bpf");
  ::seccomp_release(context);
  std::vector<sock_filter> program(static_cast<size_t>(::lseek(file, 0, SEEK_END)) /
                                   sizeof(sock_filter));
  const size_t size = program.size() * sizeof(sock_filter);
  if (::pread(file, program.data(), size, 0) != static_cast<ssize_t>(size)) check(-EIO, "read");
  return program;
}

std::vector<sock_filter> decide_numbered() {
  constexpr uint32_t kWithoutX32Bit = ~0x40000000U;
  const auto numbered = allowed_numbered_syscalls();
  const auto count = static_cast<uint8_t>(numbered.size());
  std::vector<sock_filter> program = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_STMT(BPF_ALU | BPF_AND | BPF_K, kWithoutX32Bit),
      BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, kLastKnownSyscall, static_cast<uint8_t>(count + 2), 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kUretprobe, static_cast<uint8_t>(count + 2), 0),
  };
  // To the return of "allowed" for each; past all three returns, into libseccomp's part, for what
  // it can name; to "denied" for the rest.
  program.push_back(
      BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, kLastNamedSyscall, 0, static_cast<uint8_t>(count + 3)));
  for (uint8_t i = 0; i < count; ++i)
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, numbered[i].number,
                               static_cast<uint8_t>(count - i + 1), 0));
  program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM));
  program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS));
  program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  return program;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "Usage: strata-seccomp-gen OUTPUT.cc\n");
    return 2;
  }
  std::vector<sock_filter> program;
  if (::seccomp_arch_native() == SCMP_ARCH_X86_64) {
    program = decide_numbered();
    const auto profile = compile_profile();
    program.insert(program.end(), profile.begin(), profile.end());
  }
  FILE* out = std::fopen(argv[1], "w");
  if (out == nullptr) check(-errno, argv[1]);
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
  return std::fclose(out) == 0 ? 0 : 1;
}
