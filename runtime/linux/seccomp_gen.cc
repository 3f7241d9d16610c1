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
#include <map>
#include <span>
#include <string>
#include <vector>

#include "runtime/linux/seccomp_profile.h"

namespace {

using namespace strata::linux;

constexpr uint32_t kX32Bit = 0x40000000;

[[noreturn]] void die(const char* why) {
  std::fprintf(stderr, "strata-seccomp-gen: %s\n", why);
  std::exit(1);
}

enum class Verdict { kAllow, kRefuse, kUnknown, kClone, kSocket, kPersonality };

// What holds from each key on, up to the next one. Neighbours with one verdict make one run.
class Runs {
 public:
  explicit Runs(Verdict otherwise) : otherwise_(otherwise) { from_[0] = otherwise; }

  void set(uint32_t value, Verdict verdict) {
    const Verdict after = at(value + 1);
    from_[value] = verdict;
    if (value != UINT32_MAX) from_[value + 1] = after;
  }
  // Everything from `value` on.
  void set_rest(uint32_t value, Verdict verdict) {
    from_.erase(from_.lower_bound(value), from_.end());
    from_[value] = verdict;
  }

  struct Run {
    uint32_t first;
    Verdict verdict;
  };
  [[nodiscard]] std::vector<Run> merged() const {
    std::vector<Run> runs;
    for (const auto& [first, verdict] : from_)
      if (runs.empty() || runs.back().verdict != verdict) runs.push_back({first, verdict});
    return runs;
  }

 private:
  [[nodiscard]] Verdict at(uint32_t value) const {
    return value == 0 ? otherwise_ : std::prev(from_.upper_bound(value))->second;
  }
  Verdict otherwise_;
  std::map<uint32_t, Verdict> from_;
};

using Label = size_t;

// Lays instructions out in order and fills the jumps in at the end.
class Assembler {
 public:
  [[nodiscard]] Label make_label() {
    places_.push_back(0);
    return places_.size() - 1;
  }
  void bind(Label label) { places_[label] = code_.size(); }

  void load(size_t offset) {
    append(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<uint32_t>(offset)));
  }
  void drop_bits(uint32_t bits) { append(BPF_STMT(BPF_ALU | BPF_AND | BPF_K, ~bits)); }
  void answer(uint32_t action) { append(BPF_STMT(BPF_RET | BPF_K, action)); }
  // if (accumulator CONDITION operand) goto yes; else goto no.
  void branch(int condition, uint32_t operand, Label yes, Label no) {
    append(BPF_JUMP(static_cast<uint16_t>(BPF_JMP | condition | BPF_K), operand, 0, 0), yes, no);
  }
  void go(Label target) { append(BPF_STMT(BPF_JMP | BPF_JA, 0), target); }

  [[nodiscard]] std::vector<sock_filter> link() const {
    std::vector<sock_filter> program;
    for (size_t i = 0; i < code_.size(); ++i) {
      const auto& [instruction, yes, no] = code_[i];
      const auto distance = [&](Label label) { return places_[label] - i - 1; };
      program.push_back(instruction);
      if (BPF_CLASS(instruction.code) != BPF_JMP) continue;
      if (BPF_OP(instruction.code) == BPF_JA) {
        program.back().k = static_cast<uint32_t>(distance(yes));
        continue;
      }
      if (distance(yes) > UINT8_MAX || distance(no) > UINT8_MAX) die("a branch reaches too far");
      program.back().jt = static_cast<uint8_t>(distance(yes));
      program.back().jf = static_cast<uint8_t>(distance(no));
    }
    return program;
  }

 private:
  struct Placed {
    sock_filter instruction;
    Label yes;
    Label no;
  };
  void append(const sock_filter& instruction, Label yes = 0, Label no = 0) {
    code_.push_back({instruction, yes, no});
  }
  std::vector<Placed> code_;
  std::vector<size_t> places_;
};

// The checks of arguments, once for all architectures.
struct Checks {
  Label clone, socket, personality;
};

// A binary search for the accumulator among runs, whose ends share one answer for each verdict.
class Search {
 public:
  Search(Assembler& out, const Checks& checks) : out_(out), checks_(checks) {}

  void emit(std::span<const Runs::Run> runs) {
    const Label start = target(runs);
    if (runs.size() == 1) out_.go(start);
    descend(runs);
    for (const auto& [verdict, label] : ends_) {
      out_.bind(label);
      decide(verdict);
    }
  }

 private:
  Label target(std::span<const Runs::Run> runs) {
    if (runs.size() > 1) return inner_.emplace(runs.data(), out_.make_label()).first->second;
    const auto [end, is_new] = ends_.try_emplace(runs.front().verdict);
    if (is_new) end->second = out_.make_label();
    return end->second;
  }

  void descend(std::span<const Runs::Run> runs) {
    if (runs.size() == 1) return;
    const size_t middle = runs.size() / 2;
    const auto below = runs.subspan(0, middle);
    const auto above = runs.subspan(middle);
    out_.bind(inner_.extract(runs.data()).mapped());
    const Label yes = target(above);
    const Label no = target(below);
    out_.branch(BPF_JGE, above.front().first, yes, no);
    descend(below);
    descend(above);
  }

  void decide(Verdict verdict) {
    switch (verdict) {
      case Verdict::kAllow:
        return out_.answer(SECCOMP_RET_ALLOW);
      case Verdict::kRefuse:
        return out_.answer(SECCOMP_RET_ERRNO | EPERM);
      case Verdict::kUnknown:
        return out_.answer(SECCOMP_RET_ERRNO | ENOSYS);
      case Verdict::kClone:
        return out_.go(checks_.clone);
      case Verdict::kSocket:
        return out_.go(checks_.socket);
      case Verdict::kPersonality:
        return out_.go(checks_.personality);
    }
  }

  Assembler& out_;
  const Checks& checks_;
  std::map<const Runs::Run*, Label> inner_;  // by the first run of a part still to be laid out
  std::map<Verdict, Label> ends_;
};

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
