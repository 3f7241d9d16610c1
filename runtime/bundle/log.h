// What the engine reads when something went wrong: lines as runc's logrus writes them, as text
// ('time="…" level=error msg="…"') or as JSON ({"level":"error","msg":"…","time":"…"}).
//
// Thread rule: main thread only.
#pragma once

#include <string>
#include <string_view>

#include "unionfs/base/result.h"
#include "unionfs/base/unique_fd.h"

namespace strata::bundle {

enum class LogFormat { kText, kJson };
enum class LogLevel { kDebug, kInfo, kWarning, kError };

class Log {
 public:
  // To standard error, without debug lines.
  Log() = default;

  // Appends to a file, which is made if it is not there; empty: standard error.
  [[nodiscard]] Result<void> open(const std::string& file);
  void set_format(LogFormat format) { format_ = format; }
  void set_debug(bool debug) { debug_ = debug; }

  // Whether somebody reads what is not an error: with a file, or when asked for debug lines.
  [[nodiscard]] bool is_read() const { return file_ || debug_; }

  // A line is one write(2): several programs may log to one file. That it can't be written is not
  // reported: there is nowhere to.
  void write(LogLevel level, std::string_view message);
  void debug(std::string_view message) { write(LogLevel::kDebug, message); }
  void warning(std::string_view message) { write(LogLevel::kWarning, message); }

  // An error that ends the program. With a file, a person reads it on standard error, too.
  void fatal(std::string_view message);

 private:
  UniqueFd file_;
  LogFormat format_ = LogFormat::kText;
  bool debug_ = false;
};

// One line, with its newline.
[[nodiscard]] std::string log_line(LogFormat format, LogLevel level, std::string_view message,
                                   std::string_view time);

}  // namespace strata::bundle
