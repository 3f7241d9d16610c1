#include "probes/bpf_handles.h"

#include <array>
#include <cstdarg>
#include <cstdio>
#include <mutex>
#include <string>
#include <string_view>

namespace strata::probes {
namespace {

// libbpf has one print function for all threads, and no argument for its user.
thread_local std::string* t_log = nullptr;

int keep(libbpf_print_level level, const char* format, va_list arguments) {
  if (level != LIBBPF_WARN || t_log == nullptr) return 0;
  std::array<char, 1024> line{};
  const int n = std::vsnprintf(line.data(), line.size(), format, arguments);
  *t_log += line.data();
  return n;
}

// "libbpf: prog 'on_exec': BPF program load failed: Permission denied" is worth showing; the
// verifier's listing between the marks is not.
bool is_telling(std::string_view line) {
  return line.starts_with("libbpf: ") && line.find("LOG --") == std::string_view::npos &&
         line.find("failed to load object") == std::string_view::npos &&
         line.find("failed to load BPF skeleton") == std::string_view::npos;
}

}  // namespace

LibbpfLog::LibbpfLog() {
  static std::once_flag once;
  std::call_once(once, [] { libbpf_set_print(keep); });
  t_log = new std::string;
}

LibbpfLog::~LibbpfLog() {
  delete t_log;
  t_log = nullptr;
}

std::string LibbpfLog::last_complaint() const {
  std::string_view rest = *t_log;
  std::string_view last;
  while (!rest.empty()) {
    const auto end = std::min(rest.find('\n'), rest.size());
    const auto line = rest.substr(0, end);
    if (is_telling(line)) last = line;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return std::string(last);
}

}  // namespace strata::probes
