#include <algorithm>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>

#include <asm/unistd.h>

#include "probes/startup.h"
#include "probes/startup_events.h"

namespace strata::probes {
namespace {

struct Name {
  uint32_t number;
  std::string_view name;
};

// Made from the kernel's own header when this is built (cmake/SyscallTable.cmake).
constexpr Name kUnsorted[] = {
#define STRATA_SYSCALL(name) {__NR_##name, #name},
#include "syscall_names.inc"
#undef STRATA_SYSCALL
};

consteval auto sorted_by_number() {
  auto names = std::to_array(kUnsorted);
  std::ranges::sort(names, {}, &Name::number);
  return names;
}
constexpr auto kNames = sorted_by_number();

}  // namespace

std::string syscall_name(uint32_t number) {
  if ((number & STRATA_CALL_COMPAT) != 0)
    return "compat_syscall_" + std::to_string(number & ~STRATA_CALL_COMPAT);
  const auto* const it = std::ranges::lower_bound(kNames, number, {}, &Name::number);
  if (it != kNames.end() && it->number == number) return std::string(it->name);
  return "syscall_" + std::to_string(number);
}

}  // namespace strata::probes
