#include "runtime/linux/device_rules.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>

#include "runtime/linux/cgroup_files.h"

namespace strata::linux {
namespace {

using oci::DeviceRule;

// runc's and crun's list: nodes of any kind may be made, these may be used.
std::vector<DeviceRule> common_devices() {
  std::vector<DeviceRule> rules;
  for (const char* type : {"c", "b"}) rules.push_back({.allow = true, .type = type, .access = "m"});
  const auto use = [&](int64_t major, std::optional<int64_t> minor) {
    rules.push_back({.allow = true, .type = "c", .major = major, .minor = minor, .access = "rwm"});
  };
  for (const int64_t minor : {3, 5, 7, 8, 9}) use(1, minor);  // null zero full random urandom
  for (const int64_t minor : {0, 1, 2}) use(5, minor);        // tty console ptmx
  use(136, std::nullopt);                                     // pts/*
  return rules;
}

bool is_everything(const DeviceRule& rule) {
  return rule.type.empty() || rule.type == "a";
}

Result<void> check(const DeviceRule& rule) {
  const auto number_is_bad = [](const std::optional<int64_t>& number) {
    return number && (*number < -1 || *number > 0xffffffffLL);
  };
  if (!is_everything(rule) && rule.type != "c" && rule.type != "b" && rule.type != "u")
    return fail(EINVAL, "device rule: unknown type '" + rule.type + "'");
  if (number_is_bad(rule.major) || number_is_bad(rule.minor))
    return fail(EINVAL, "device rule: number out of range");
  if (rule.access.find_first_not_of("rwm") != std::string::npos)
    return fail(EINVAL, "device rule: unknown access '" + rule.access + "'");
  return {};
}

std::string number_text(const std::optional<int64_t>& number) {
  return number && *number >= 0 ? std::to_string(*number) : "*";
}

int32_t access_bits(const std::string& access) {
  int32_t bits = 0;
  if (access.find('m') != std::string::npos) bits |= BPF_DEVCG_ACC_MKNOD;
  if (access.find('r') != std::string::npos) bits |= BPF_DEVCG_ACC_READ;
  if (access.find('w') != std::string::npos) bits |= BPF_DEVCG_ACC_WRITE;
  return bits;
}

// Registers of the program.
constexpr uint8_t kResult = BPF_REG_0;
constexpr uint8_t kContext = BPF_REG_1;
constexpr uint8_t kType = BPF_REG_2;
constexpr uint8_t kAccess = BPF_REG_3;
constexpr uint8_t kMajor = BPF_REG_4;
constexpr uint8_t kMinor = BPF_REG_5;
constexpr uint8_t kScratch = BPF_REG_6;

bpf_insn instruction(int code, uint8_t to, uint8_t from, size_t offset, int32_t immediate) {
  return {.code = static_cast<uint8_t>(code),
          .dst_reg = static_cast<uint8_t>(to & 0xf),
          .src_reg = static_cast<uint8_t>(from & 0xf),
          .off = static_cast<int16_t>(offset),
          .imm = immediate};
}

bpf_insn load(uint8_t to, size_t offset) {
  return instruction(BPF_LDX | BPF_MEM | BPF_W, to, kContext, offset, 0);
}

bpf_insn operate(int operation, uint8_t to, int32_t operand) {
  return instruction(BPF_ALU | operation | BPF_K, to, 0, 0, operand);
}

bpf_insn copy(uint8_t to, uint8_t from) {
  return instruction(BPF_ALU | BPF_MOV | BPF_X, to, from, 0, 0);
}

// The distance is filled in when the rule's end is known. 32-bit compares: a device number is
// unsigned, and an immediate would be sign-extended.
bpf_insn skip_rule_if(int condition, uint8_t left, int32_t right) {
  return instruction(BPF_JMP32 | condition | BPF_K, left, 0, 0, right);
}

bpf_insn leave() {
  return instruction(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

void append_rule(std::vector<bpf_insn>& program, const DeviceRule& rule) {
  const size_t start = program.size();
  if (!is_everything(rule)) {
    program.push_back(
        skip_rule_if(BPF_JNE, kType, rule.type == "b" ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR));
    const int32_t bits = access_bits(rule.access);
    if (rule.allow) {  // applies if nothing else is asked for
      program.push_back(copy(kScratch, kAccess));
      program.push_back(operate(BPF_AND, kScratch, ~bits));
      program.push_back(skip_rule_if(BPF_JNE, kScratch, 0));
    } else {  // applies if any of it is asked for
      program.push_back(copy(kScratch, kAccess));
      program.push_back(operate(BPF_AND, kScratch, bits));
      program.push_back(skip_rule_if(BPF_JEQ, kScratch, 0));
    }
    if (rule.major && *rule.major >= 0)
      program.push_back(skip_rule_if(BPF_JNE, kMajor, static_cast<int32_t>(*rule.major)));
    if (rule.minor && *rule.minor >= 0)
      program.push_back(skip_rule_if(BPF_JNE, kMinor, static_cast<int32_t>(*rule.minor)));
  }
  program.push_back(operate(BPF_MOV, kResult, rule.allow ? 1 : 0));
  program.push_back(leave());
  for (size_t i = start; i < program.size(); ++i)
    if ((program[i].code & 0x07) == BPF_JMP32)
      program[i].off = static_cast<int16_t>(program.size() - i - 1);
}

Result<void> attach_program(const Cgroup::Directory& directory,
                            const std::vector<bpf_insn>& program) {
  bpf_attr load_attr{};
  load_attr.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
  load_attr.insns = reinterpret_cast<uintptr_t>(program.data());
  load_attr.insn_cnt = static_cast<uint32_t>(program.size());
  load_attr.license = reinterpret_cast<uintptr_t>("Apache-2.0");
  const UniqueFd fd(
      static_cast<int>(::syscall(SYS_bpf, BPF_PROG_LOAD, &load_attr, sizeof load_attr)));
  if (!fd) return fail_errno("device rules of " + directory.path + ": load the BPF program");
  const UniqueFd cgroup(::open(directory.path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  bpf_attr attach{};
  attach.target_fd = static_cast<uint32_t>(cgroup.get());
  attach.attach_bpf_fd = static_cast<uint32_t>(fd.get());
  attach.attach_type = BPF_CGROUP_DEVICE;
  attach.attach_flags = BPF_F_ALLOW_MULTI;
  if (::syscall(SYS_bpf, BPF_PROG_ATTACH, &attach, sizeof attach) < 0)
    return fail_errno("device rules of " + directory.path + ": attach the BPF program");
  return {};
}

}  // namespace

Result<std::vector<DeviceRule>> complete_device_rules(const std::vector<DeviceRule>& rules) {
  std::vector<DeviceRule> complete = {{.allow = false, .type = "a", .access = "rwm"}};
  for (const auto& rule : rules) {
    STRATA_CHECK(check(rule));
    if (is_everything(rule)) complete.clear();  // nothing before it matters
    complete.push_back(rule);
    if (complete.back().type == "u") complete.back().type = "c";
    if (complete.back().access.empty()) complete.back().access = "rwm";
  }
  // In front of a final "allow everything" nothing needs to be said.
  if (is_everything(complete.back()) && complete.back().allow) return complete;
  const auto common = common_devices();
  complete.insert(complete.end(), common.begin(), common.end());
  return complete;
}

std::string device_rule_text(const DeviceRule& rule) {
  if (is_everything(rule)) return "a";
  return rule.type + " " + number_text(rule.major) + ":" + number_text(rule.minor) + " " +
         rule.access;
}

std::vector<bpf_insn> device_program(const std::vector<DeviceRule>& rules) {
  std::vector<bpf_insn> program = {
      load(kType, offsetof(bpf_cgroup_dev_ctx, access_type)),  // access << 16 | type
      copy(kAccess, kType),
      operate(BPF_AND, kType, 0xffff),
      operate(BPF_RSH, kAccess, 16),
      load(kMajor, offsetof(bpf_cgroup_dev_ctx, major)),
      load(kMinor, offsetof(bpf_cgroup_dev_ctx, minor)),
  };
  for (auto rule = rules.rbegin(); rule != rules.rend(); ++rule) {
    append_rule(program, *rule);
    if (is_everything(*rule)) return program;  // the verifier refuses code that can't be reached
  }
  program.push_back(operate(BPF_MOV, kResult, 0));
  program.push_back(leave());
  return program;
}

Result<void> apply_device_rules(const std::vector<Cgroup::Directory>& directories,
                                const std::vector<DeviceRule>& rules) {
  STRATA_TRY(const auto complete, complete_device_rules(rules));
  for (const auto& directory : directories) {
    if (std::find(directory.controllers.begin(), directory.controllers.end(), "devices") ==
        directory.controllers.end())
      continue;
    const UniqueFd allow(::openat(directory.fd.get(), "devices.allow", O_WRONLY | O_CLOEXEC));
    const UniqueFd deny(::openat(directory.fd.get(), "devices.deny", O_WRONLY | O_CLOEXEC));
    for (const auto& rule : complete) {
      const std::string text = device_rule_text(rule);
      if (::write((rule.allow ? allow : deny).get(), text.data(), text.size()) < 0)
        return fail_errno("device rule '" + text + "' of " + directory.path);
    }
    return {};
  }
  for (const auto& directory : directories)
    if (directory.unified) return attach_program(directory, device_program(complete));
  return fail(ENOTSUP, "device rules: this host has no cgroup to hold them");
}

}  // namespace strata::linux
