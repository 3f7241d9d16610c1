#include "runtime/linux/seccomp_compile.h"

#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/linux/seccomp_profile.h"
#include "unionfs/base/unique_fd.h"

namespace strata::linux {
namespace {

using Context = std::unique_ptr<void, void (*)(scmp_filter_ctx)>;

Result<uint32_t> action_of(const std::string& name, std::optional<uint32_t> errno_ret,
                           const std::string& path, const char* errno_member) {
  struct Named {
    std::string_view name;
    uint32_t action;
  };
  static constexpr auto kActions =
      std::to_array<Named>({{"SCMP_ACT_KILL", SCMP_ACT_KILL},
                            {"SCMP_ACT_KILL_THREAD", SCMP_ACT_KILL_THREAD},
                            {"SCMP_ACT_KILL_PROCESS", SCMP_ACT_KILL_PROCESS},
                            {"SCMP_ACT_TRAP", SCMP_ACT_TRAP},
                            {"SCMP_ACT_ALLOW", SCMP_ACT_ALLOW},
                            {"SCMP_ACT_LOG", SCMP_ACT_LOG},
                            {"SCMP_ACT_NOTIFY", SCMP_ACT_NOTIFY}});
  const bool is_errno = name == "SCMP_ACT_ERRNO";
  if (is_errno || name == "SCMP_ACT_TRACE") {
    const uint32_t code = errno_ret.value_or(EPERM);
    constexpr uint32_t kMaxErrno = 4095;
    if (is_errno && code > kMaxErrno)
      return fail(EINVAL, path + errno_member + ": " + std::to_string(code) + " is no errno value");
    if (code > UINT16_MAX) return fail(EINVAL, path + errno_member + ": out of range");
    return is_errno ? SCMP_ACT_ERRNO(code) : SCMP_ACT_TRACE(code);
  }
  for (const auto& known : kActions) {
    if (known.name != name) continue;
    if (!errno_ret) return known.action;
    return fail(EINVAL, std::string(path).append(errno_member).append(": " + name + " takes none"));
  }
  return fail(EINVAL, path + (errno_member[0] == '.' ? ".action" : "defaultAction") +
                          ": unknown action '" + name + "'");
}

Result<scmp_compare> operator_of(const std::string& name, const std::string& path) {
  struct Named {
    std::string_view name;
    scmp_compare op;
  };
  static constexpr auto kOperators =
      std::to_array<Named>({{"SCMP_CMP_NE", SCMP_CMP_NE},
                            {"SCMP_CMP_LT", SCMP_CMP_LT},
                            {"SCMP_CMP_LE", SCMP_CMP_LE},
                            {"SCMP_CMP_EQ", SCMP_CMP_EQ},
                            {"SCMP_CMP_GE", SCMP_CMP_GE},
                            {"SCMP_CMP_GT", SCMP_CMP_GT},
                            {"SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ}});
  for (const auto& known : kOperators)
    if (known.name == name) return known.op;
  return fail(EINVAL, path + ".op: unknown operator '" + name + "'");
}

Result<uint32_t> flags_of(const std::vector<std::string>& names) {
  constexpr uint32_t kWaitKillable = 1U << 5;  // since Linux 5.19
  uint32_t flags = 0;
  for (size_t i = 0; i < names.size(); ++i) {
    const auto& name = names[i];
    if (name == "SECCOMP_FILTER_FLAG_LOG")
      flags |= SECCOMP_FILTER_FLAG_LOG;
    else if (name == "SECCOMP_FILTER_FLAG_SPEC_ALLOW")
      flags |= SECCOMP_FILTER_FLAG_SPEC_ALLOW;
    else if (name == "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV")
      flags |= kWaitKillable;
    else if (name != "SECCOMP_FILTER_FLAG_TSYNC")  // with one thread there is nothing to do
      return fail(EINVAL,
                  "linux.seccomp.flags[" + std::to_string(i) + "]: unknown flag '" + name + "'");
  }
  return flags;
}

Result<void> add_architectures(scmp_filter_ctx context, const std::vector<std::string>& names) {
  constexpr std::string_view kPrefix = "SCMP_ARCH_";
  for (size_t i = 0; i < names.size(); ++i) {
    std::string name = names[i].starts_with(kPrefix) ? names[i].substr(kPrefix.size()) : "";
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    const uint32_t token = ::seccomp_arch_resolve_name(name.c_str());
    if (token == 0)
      return fail(EINVAL, "linux.seccomp.architectures[" + std::to_string(i) +
                              "]: unknown architecture '" + names[i] + "'");
    if (const int code = ::seccomp_arch_add(context, token); code != 0 && code != -EEXIST)
      return fail_errno("linux.seccomp.architectures[" + std::to_string(i) + "]: " + names[i],
                        -code);
  }
  return {};
}

// A call younger than the library has a number that is the same everywhere.
int number_of(const std::string& name) {
  const int number = ::seccomp_syscall_resolve_name(name.c_str());
  if (number != __NR_SCMP_ERROR) return number;
  for (const auto& young : allowed_numbered_syscalls())
    if (young.name == name) return static_cast<int>(young.number);
  return __NR_SCMP_ERROR;
}

// The conditions of a rule, in one list for each rule that the library shall get.
Result<std::vector<std::vector<scmp_arg_cmp>>> conditions_of(const oci::SeccompRule& rule,
                                                             const std::string& path) {
  constexpr uint32_t kArguments = 6;
  std::vector<scmp_arg_cmp> all;
  std::array<int, kArguments> uses{};
  for (size_t i = 0; i < rule.args.size(); ++i) {
    const auto& arg = rule.args[i];
    const std::string at = path + ".args[" + std::to_string(i) + "]";
    if (arg.index >= kArguments)
      return fail(EINVAL, at + ".index: a system call has six arguments");
    STRATA_TRY(const scmp_compare op, operator_of(arg.op, at));
    all.push_back({arg.index, op, arg.value, arg.value_two});
    ++uses[arg.index];
  }
  if (std::any_of(uses.begin(), uses.end(), [](int n) { return n > 1; })) {
    std::vector<std::vector<scmp_arg_cmp>> alternatives;
    alternatives.reserve(all.size());
    for (const auto& one : all) alternatives.push_back({one});
    return alternatives;
  }
  return std::vector<std::vector<scmp_arg_cmp>>{all};
}

class Compiler {
 public:
  explicit Compiler(const oci::Seccomp& seccomp) : seccomp_(seccomp) {}

  Result<SeccompFilter> compile() {
    SeccompFilter filter;
    STRATA_TRY(filter.flags, flags_of(seccomp_.flags));
    STRATA_TRY(default_, action_of(seccomp_.default_action, seccomp_.default_errno_ret,
                                   "linux.seccomp.", "defaultErrnoRet"));
    if (default_ == SCMP_ACT_NOTIFY)
      return fail(EINVAL, "linux.seccomp.defaultAction: nobody can be asked about everything");
    context_.reset(::seccomp_init(default_));
    if (!context_) return fail(ENOMEM, "linux.seccomp: no filter could be made");
    constexpr uint32_t kBinaryTree = 2;
    ::seccomp_attr_set(context_.get(), SCMP_FLTATR_CTL_OPTIMIZE, kBinaryTree);
    STRATA_CHECK(add_architectures(context_.get(), seccomp_.architectures));
    for (size_t i = 0; i < seccomp_.syscalls.size(); ++i)
      STRATA_CHECK(add_rule(seccomp_.syscalls[i],
                            "linux.seccomp.syscalls[" + std::to_string(i) + "]", filter));
    if (filter.notifies && seccomp_.listener_path.empty())
      return fail(EINVAL, "linux.seccomp.listenerPath: SCMP_ACT_NOTIFY needs a listener");
    STRATA_TRY(filter.program, exported());
    return filter;
  }

 private:
  Result<void> add_rule(const oci::SeccompRule& rule, const std::string& path,
                        SeccompFilter& filter) {
    STRATA_TRY(const uint32_t action, action_of(rule.action, rule.errno_ret, path, ".errnoRet"));
    STRATA_TRY(const auto alternatives, conditions_of(rule, path));
    if (rule.names.empty()) return fail(EINVAL, path + ".names: no system call is named");
    if (action == SCMP_ACT_NOTIFY) filter.notifies = true;
    if (action == default_) return {};
    for (const auto& name : rule.names) STRATA_CHECK(add_call(name, action, alternatives, path));
    return {};
  }

  Result<void> add_call(const std::string& name, uint32_t action,
                        const std::vector<std::vector<scmp_arg_cmp>>& alternatives,
                        const std::string& path) {
    const int number = number_of(name);
    if (number == __NR_SCMP_ERROR) {
      if (default_ == SCMP_ACT_ALLOW || default_ == SCMP_ACT_LOG)
        return fail(EINVAL, path + ".names: unknown system call '" + name + "'");
      return {};
    }
    for (const auto& conditions : alternatives) {
      const int code =
          ::seccomp_rule_add_array(context_.get(), action, number,
                                   static_cast<unsigned>(conditions.size()), conditions.data());
      if (code != 0) return fail_errno(std::string(path).append(": ").append(name), -code);
    }
    return {};
  }

  Result<std::vector<sock_filter>> exported() {
    const UniqueFd file(::memfd_create("filter", MFD_CLOEXEC));
    if (!file) return fail_errno("linux.seccomp: compile the filter");
    if (const int code = ::seccomp_export_bpf(context_.get(), file.get()); code != 0)
      return fail_errno("linux.seccomp: compile the filter", -code);
    const off_t size = ::lseek(file.get(), 0, SEEK_END);
    std::vector<sock_filter> program(static_cast<size_t>(size) / sizeof(sock_filter));
    if (::pread(file.get(), program.data(), static_cast<size_t>(size), 0) != size)
      return fail_errno("linux.seccomp: read the filter");
    constexpr size_t kMost = 4096;  // BPF_MAXINSNS
    if (program.size() > kMost)
      return fail(E2BIG, "linux.seccomp: the filter is longer than the kernel takes");
    return program;
  }

  const oci::Seccomp& seccomp_;
  uint32_t default_ = 0;
  Context context_{nullptr, ::seccomp_release};
};

}  // namespace

Result<SeccompFilter> compile_seccomp(const oci::Seccomp& seccomp) {
  return Compiler(seccomp).compile();
}

}  // namespace strata::linux
