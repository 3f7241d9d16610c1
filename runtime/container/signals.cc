#include "runtime/container/signals.h"

#include <signal.h>
#include <string.h>

#include <algorithm>
#include <cctype>
#include <charconv>

namespace strata::container {
namespace {

bool parse_int(std::string_view text, int& value) {
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  return parsed.ec == std::errc() && parsed.ptr == text.data() + text.size();
}

// "RTMIN", "RTMIN+n", "RTMAX", "RTMAX-n", as kill(1) has them.
int real_time_signal(std::string_view name) {
  const bool from_min = name.starts_with("RTMIN");
  if (!from_min && !name.starts_with("RTMAX")) return 0;
  constexpr size_t kPrefix = 5;
  int offset = 0;
  name.remove_prefix(kPrefix);
  if (!name.empty()) {
    if (name.front() != (from_min ? '+' : '-') || !parse_int(name.substr(1), offset) || offset < 0)
      return 0;
  }
  const int signal = from_min ? SIGRTMIN + offset : SIGRTMAX - offset;
  return signal >= SIGRTMIN && signal <= SIGRTMAX ? signal : 0;
}

}  // namespace

Result<int> parse_signal(std::string_view text) {
  int number = 0;
  if (parse_int(text, number)) {
    if (number > 0 && number < NSIG) return number;
    return fail(EINVAL, "there is no signal " + std::string(text));
  }
  std::string name(text);
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  if (name.starts_with("SIG")) name.erase(0, 3);
  for (int signal = 1; signal < NSIG; ++signal) {
    const char* known = ::sigabbrev_np(signal);
    if (known != nullptr && name == known) return signal;
  }
  if (const int signal = real_time_signal(name); signal != 0) return signal;
  return fail(EINVAL, "there is no signal '" + std::string(text) + "'");
}

}  // namespace strata::container
