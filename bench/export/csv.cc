#include "bench/export/csv.h"

#include <array>
#include <charconv>
#include <cmath>
#include <string_view>
#include <type_traits>

#include "bench/metric.h"

namespace strata::bench {
namespace {

constexpr std::string_view kHeader =
    "run_id,suite,label,start_utc,target,kind,accelerator,round,order,warmup,started_ns,"
    "exit_status,ok,error";

// One line, its fields quoted where they must be.
class Line {
 public:
  void add(std::string_view text) {
    if (!line_.empty() || started_) line_ += ',';
    started_ = true;
    if (text.find_first_of("\",\r\n") == std::string_view::npos) {
      line_ += text;
      return;
    }
    line_ += '"';
    for (const char c : text) line_.append(c == '"' ? 2 : 1, c);
    line_ += '"';
  }
  void add(bool value) { add(std::string_view(value ? "true" : "false")); }
  void add(const char* text) { add(std::string_view(text)); }
  template <class T>
  requires std::is_arithmetic_v<T>
  void add(T value) {
    std::array<char, 64> text{};
    const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
    add(std::string_view(text.data(), end));
  }
  [[nodiscard]] std::string finish() const { return line_ + "\r\n"; }

 private:
  std::string line_;
  bool started_ = false;
};

// Whole numbers without an exponent: a spreadsheet would round "1.003e+09".
void add_number(Line& line, double value) {
  constexpr double kExact = 9007199254740992.0;  // 2^53
  if (std::trunc(value) == value && std::abs(value) < kExact)
    line.add(static_cast<int64_t>(value));
  else
    line.add(value);
}

}  // namespace

std::string to_csv(const Document& document) {
  const auto metrics = metric_names(document);
  std::string csv(kHeader);
  Line names;
  for (const auto& metric : metrics) names.add(metric);
  csv += metrics.empty() ? "\r\n" : "," + names.finish();
  const Run& run = document.run;
  for (const auto& sample : document.samples) {
    const Target* target = find_target(document, sample.target);
    Line line;
    for (const auto& text : {run.id, run.suite, run.label, run.start_utc, sample.target})
      line.add(text);
    line.add(target != nullptr ? target->kind : std::string());
    line.add(target != nullptr ? target->accelerator : std::string());
    line.add(sample.round);
    line.add(sample.order);
    line.add(sample.warmup);
    line.add(sample.started_ns);
    line.add(sample.exit_status);
    line.add(sample.ok);
    line.add(sample.error);
    for (const auto& metric : metrics) {
      const auto found = sample.metrics.find(metric);
      if (found == sample.metrics.end())
        line.add("");
      else
        add_number(line, found->second);
    }
    csv += line.finish();
  }
  return csv;
}

}  // namespace strata::bench
