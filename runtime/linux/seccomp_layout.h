// The lay-out of a filter program: runs of numbers with one answer, a binary search over them, and
// jumps that are filled in at the end. Private to the build tool seccomp_gen.cc.
#pragma once

#include <linux/filter.h>
#include <linux/seccomp.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <map>
#include <span>
#include <vector>

namespace strata::linux {

[[noreturn]] inline void die(const char* why) {
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

}  // namespace strata::linux
