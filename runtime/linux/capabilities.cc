#include "runtime/linux/capabilities.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace strata::linux {
namespace {

constexpr auto kNames = std::to_array<std::string_view>({
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_DAC_READ_SEARCH",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_SETPCAP",
    "CAP_LINUX_IMMUTABLE",
    "CAP_NET_BIND_SERVICE",
    "CAP_NET_BROADCAST",
    "CAP_NET_ADMIN",
    "CAP_NET_RAW",
    "CAP_IPC_LOCK",
    "CAP_IPC_OWNER",
    "CAP_SYS_MODULE",
    "CAP_SYS_RAWIO",
    "CAP_SYS_CHROOT",
    "CAP_SYS_PTRACE",
    "CAP_SYS_PACCT",
    "CAP_SYS_ADMIN",
    "CAP_SYS_BOOT",
    "CAP_SYS_NICE",
    "CAP_SYS_RESOURCE",
    "CAP_SYS_TIME",
    "CAP_SYS_TTY_CONFIG",
    "CAP_MKNOD",
    "CAP_LEASE",
    "CAP_AUDIT_WRITE",
    "CAP_AUDIT_CONTROL",
    "CAP_SETFCAP",
    "CAP_MAC_OVERRIDE",
    "CAP_MAC_ADMIN",
    "CAP_SYSLOG",
    "CAP_WAKE_ALARM",
    "CAP_BLOCK_SUSPEND",
    "CAP_AUDIT_READ",
    "CAP_PERFMON",
    "CAP_BPF",
    "CAP_CHECKPOINT_RESTORE",
});
static_assert(kNames.size() == CAP_LAST_CAP + 1);
static_assert(kNames[CAP_SYS_RESOURCE] == "CAP_SYS_RESOURCE" && kNames[CAP_BPF] == "CAP_BPF");

// Version 3 splits each set into two 32-bit words (capget(2)).
struct Words {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> data{};
};

constexpr auto kWords = std::to_array<unsigned>({0, 1});

uint32_t word(CapabilityMask mask, unsigned i) {
  return static_cast<uint32_t>(mask >> (32 * i));
}

int get(Words& words) {
  return static_cast<int>(::syscall(SYS_capget, &words.header, words.data.data()));
}

int set(Words& words) {
  return static_cast<int>(::syscall(SYS_capset, &words.header, words.data.data()));
}

}  // namespace

Result<CapabilityMask> capability_of(std::string_view name) {
  for (size_t i = 0; i < kNames.size(); ++i)
    if (kNames[i] == name) return CapabilityMask{1} << i;
  return fail(EINVAL, "unknown capability '" + std::string(name) + "'");
}

std::string capability_names(CapabilityMask mask) {
  std::string names;
  for (size_t i = 0; i < kNames.size(); ++i) {
    if ((mask & (CapabilityMask{1} << i)) == 0) continue;
    if (!names.empty()) names += ", ";
    names += kNames[i];
  }
  return names;
}

Result<CapabilitySets> capability_sets(const oci::Capabilities& names) {
  CapabilitySets sets;
  const auto add = [](const std::vector<std::string>& from, CapabilityMask& to) -> Result<void> {
    for (const auto& name : from) {
      STRATA_TRY(const CapabilityMask bit, capability_of(name));
      to |= bit;
    }
    return {};
  };
  STRATA_CHECK(add(names.bounding, sets.bounding));
  STRATA_CHECK(add(names.effective, sets.effective));
  STRATA_CHECK(add(names.inheritable, sets.inheritable));
  STRATA_CHECK(add(names.permitted, sets.permitted));
  STRATA_CHECK(add(names.ambient, sets.ambient));
  return sets;
}

Result<CapabilitySets> own_capabilities() {
  Words words;
  if (get(words) < 0) return fail_errno("read capabilities");
  CapabilitySets sets;
  for (const unsigned i : kWords) {
    sets.effective |= CapabilityMask{words.data[i].effective} << (32 * i);
    sets.permitted |= CapabilityMask{words.data[i].permitted} << (32 * i);
    sets.inheritable |= CapabilityMask{words.data[i].inheritable} << (32 * i);
  }
  return sets;
}

int limit_bounding_set(CapabilityMask keep) noexcept {
  // Also those that this program does not know: up to the kernel's last one.
  for (int cap = 0; cap < 64; ++cap) {
    if ((keep & (CapabilityMask{1} << cap)) != 0) continue;
    if (::prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == 0) continue;
    if (errno == EINVAL) return 0;  // beyond the last
    if (::prctl(PR_CAPBSET_READ, cap, 0, 0, 0) != 0) return -1;
  }
  return 0;
}

int set_capabilities(const CapabilitySets& sets) noexcept {
  Words words;
  for (const unsigned i : kWords)
    words.data[i] = {word(sets.effective, i), word(sets.permitted, i), word(sets.inheritable, i)};
  return set(words);
}

int set_ambient(CapabilityMask ambient) noexcept {
  if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0) return -1;
  for (int cap = 0; cap < 64 && ambient >> cap != 0; ++cap) {
    if ((ambient & (CapabilityMask{1} << cap)) != 0 &&
        ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) < 0)
      return -1;
  }
  return 0;
}

int raise_permitted() noexcept {
  Words words;
  if (get(words) < 0) return -1;
  for (auto& data : words.data) data.effective = data.permitted;
  return set(words);
}

}  // namespace strata::linux
