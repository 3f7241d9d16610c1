// The default filter against libseccomp's own compilation of the same profile, on every number,
// architecture and interesting argument.

#include "runtime/linux/seccomp.h"

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/linux/seccomp_profile.h"

namespace strata::linux {
namespace {

constexpr uint32_t kX32Bit = 0x40000000;

// What a filter may hold (seccomp(2)), as the kernel runs it.
uint32_t run(std::span<const sock_filter> program, const seccomp_data& data) {
  uint32_t a = 0;
  for (size_t pc = 0; pc < program.size(); ++pc) {
    const auto& i = program[pc];
    switch (i.code) {
      case BPF_LD | BPF_W | BPF_ABS:
        std::memcpy(&a, reinterpret_cast<const char*>(&data) + i.k, sizeof a);
        break;
      case BPF_ALU | BPF_AND | BPF_K:
        a &= i.k;
        break;
      case BPF_JMP | BPF_JA:
        pc += i.k;
        break;
      case BPF_JMP | BPF_JEQ | BPF_K:
        pc += a == i.k ? i.jt : i.jf;
        break;
      case BPF_JMP | BPF_JGE | BPF_K:
        pc += a >= i.k ? i.jt : i.jf;
        break;
      case BPF_JMP | BPF_JGT | BPF_K:
        pc += a > i.k ? i.jt : i.jf;
        break;
      case BPF_JMP | BPF_JSET | BPF_K:
        pc += (a & i.k) != 0 ? i.jt : i.jf;
        break;
      case BPF_RET | BPF_K:
        return i.k;
      default:
        ADD_FAILURE() << "unexpected instruction " << i.code;
        return 0;
    }
  }
  ADD_FAILURE() << "ran off the end";
  return 0;
}

std::vector<sock_filter> compile_with_libseccomp() {
  scmp_filter_ctx context = ::seccomp_init(SCMP_ACT_ERRNO(EPERM));
  EXPECT_EQ(::seccomp_arch_add(context, SCMP_ARCH_X86), 0);
  EXPECT_EQ(::seccomp_arch_add(context, SCMP_ARCH_X32), 0);
  const auto add = [&](uint32_t action, std::string_view name, std::vector<scmp_arg_cmp> args) {
    const int number = ::seccomp_syscall_resolve_name(std::string(name).c_str());
    EXPECT_NE(number, __NR_SCMP_ERROR) << name;
    EXPECT_EQ(::seccomp_rule_add_array(context, action, number, static_cast<unsigned>(args.size()),
                                       args.data()),
              0)
        << name;
  };
  for (const auto name : allowed_syscalls()) add(SCMP_ACT_ALLOW, name, {});
  for (const unsigned family : allowed_socket_families())
    add(SCMP_ACT_ALLOW, "socket", {SCMP_A0_64(SCMP_CMP_EQ, family)});
  for (const unsigned value : allowed_personalities())
    add(SCMP_ACT_ALLOW, "personality", {SCMP_A0_64(SCMP_CMP_EQ, value)});
  add(SCMP_ACT_ALLOW, "clone", {SCMP_A0_64(SCMP_CMP_MASKED_EQ, kForbiddenCloneFlags, 0)});
  add(SCMP_ACT_ERRNO(ENOSYS), "clone3", {});
  const int file = ::memfd_create("filter", MFD_CLOEXEC);
  EXPECT_EQ(::seccomp_export_bpf(context, file), 0);
  ::seccomp_release(context);
  std::vector<sock_filter> program(static_cast<size_t>(::lseek(file, 0, SEEK_END)) /
                                   sizeof(sock_filter));
  EXPECT_GT(::pread(file, program.data(), program.size() * sizeof(sock_filter), 0), 0);
  ::close(file);
  return program;
}

struct Architecture {
  const char* name;
  uint32_t audit;
  uint32_t scmp;
  uint32_t bit;
};
constexpr Architecture kArchitectures[] = {{"x86-64", AUDIT_ARCH_X86_64, SCMP_ARCH_X86_64, 0},
                                           {"x32", AUDIT_ARCH_X86_64, SCMP_ARCH_X32, kX32Bit},
                                           {"x86", AUDIT_ARCH_I386, SCMP_ARCH_X86, 0}};

bool exists(const Architecture& architecture, uint32_t number) {
  char* name = ::seccomp_syscall_resolve_num_arch(architecture.scmp,
                                                  static_cast<int>(number | architecture.bit));
  const bool known = name != nullptr;
  std::free(name);
  return known;
}

std::vector<uint64_t> first_arguments() {
  std::vector<uint64_t> values;
  values.reserve(200);
  for (uint64_t i = 0; i < 64; ++i) values.push_back(i);
  for (int bit = 6; bit < 64; ++bit) values.push_back(uint64_t{1} << bit);
  for (const unsigned value : allowed_personalities()) {
    values.push_back(value);
    values.push_back(value + 1ULL);
  }
  values.push_back(0x003d0f00);  // what pthread_create asks of clone
  values.push_back(~uint64_t{0});
  return values;
}

seccomp_data call(const Architecture& architecture, uint32_t number, uint64_t first = 0) {
  seccomp_data data{};
  data.nr = static_cast<int>(number | architecture.bit);
  data.arch = architecture.audit;
  data.args[0] = first;
  return data;
}

constexpr uint32_t kNoSuchCall = SECCOMP_RET_ERRNO | ENOSYS;
constexpr uint32_t kRefused = SECCOMP_RET_ERRNO | EPERM;

TEST(DefaultSeccompFilter, AgreesWithLibseccomp) {
  const auto filter = default_seccomp_filter();
  ASSERT_FALSE(filter.empty());
  const auto oracle = compile_with_libseccomp();
  for (const auto& architecture : kArchitectures) {
    for (uint32_t number = 0; number <= 547; ++number) {
      // Where there is no call there is nothing to filter, the kernel itself answers. Those that
      // the profile allows by number have a test of their own.
      if (!exists(architecture, number)) continue;
      if (number > kLastNamedSyscall && number <= kLastKnownSyscall) continue;
      for (const uint64_t first : first_arguments()) {
        // For 32-bit pointers libseccomp looks at low halves only; ours is stricter.
        if (architecture.scmp != SCMP_ARCH_X86_64 && first > UINT32_MAX) continue;
        const auto data = call(architecture, number, first);
        ASSERT_EQ(run(filter, data), run(oracle, data))
            << architecture.name << " " << number << " with " << first;
      }
    }
  }
}

TEST(DefaultSeccompFilter, IsMuchShorterThanLibseccomps) {
  EXPECT_LT(default_seccomp_filter().size() * 4, compile_with_libseccomp().size());
}

TEST(DefaultSeccompFilter, DecidesOnCallsThatLibseccompCannotName) {
  const auto filter = default_seccomp_filter();
  for (const auto& architecture : kArchitectures) {
    for (const auto& numbered : allowed_numbered_syscalls())
      EXPECT_EQ(run(filter, call(architecture, numbered.number)), SECCOMP_RET_ALLOW)
          << numbered.name;
    for (const uint32_t admin : {459U, 460U, 461U})  // the security modules' own
      EXPECT_EQ(run(filter, call(architecture, admin)), kRefused);
    for (const uint32_t young : {467U, 470U, 600U, 100'000U})
      EXPECT_EQ(run(filter, call(architecture, young)), kNoSuchCall);
  }
  EXPECT_EQ(run(filter, call(kArchitectures[0], kUretprobe)), SECCOMP_RET_ALLOW);
  EXPECT_EQ(run(filter, call(kArchitectures[0], kUretprobe + 1)), kRefused);
}

TEST(DefaultSeccompFilter, KillsAliens) {
  seccomp_data data{};
  data.arch = AUDIT_ARCH_AARCH64;
  EXPECT_EQ(run(default_seccomp_filter(), data), SECCOMP_RET_KILL_THREAD);
}

}  // namespace
}  // namespace strata::linux
