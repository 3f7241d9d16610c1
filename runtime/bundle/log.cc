#include "runtime/bundle/log.h"

#include <fcntl.h>
#include <unistd.h>

#include "runtime/container/time.h"
#include "unionfs/base/file.h"
#include "unionfs/base/json.h"

namespace strata::bundle {
namespace {

std::string_view level_name(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kError:
      return "error";
  }
  return "error";
}

std::string quoted(std::string_view text) {
  return OrderedJson(text).dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

void write_line(int fd, const std::string& line) {
  [[maybe_unused]] const auto written = ::write(fd, line.data(), line.size());
}

}  // namespace

std::string log_line(LogFormat format, LogLevel level, std::string_view message,
                     std::string_view time) {
  const std::string name(level_name(level));
  if (format == LogFormat::kJson)
    return "{\"level\":\"" + name + "\",\"msg\":" + quoted(message) + ",\"time\":\"" +
           std::string(time) + "\"}\n";
  return "time=\"" + std::string(time) + "\" level=" + name + " msg=" + quoted(message) + "\n";
}

Result<void> Log::open(const std::string& file) {
  if (file.empty()) return {};
  constexpr mode_t kReadable = 0644;
  STRATA_TRY(file_, open_file(file, O_WRONLY | O_CREAT | O_APPEND, kReadable));
  return {};
}

void Log::write(LogLevel level, std::string_view message) {
  if (level == LogLevel::kDebug && !debug_) return;
  write_line(file_ ? file_.get() : STDERR_FILENO,
             log_line(format_, level, message, container::now_text()));
}

void Log::fatal(std::string_view message) {
  write(LogLevel::kError, message);
  if (file_) write_line(STDERR_FILENO, std::string(message) + "\n");
}

}  // namespace strata::bundle
