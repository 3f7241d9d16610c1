#include "probes/call_table.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string_view>

#include "probes/text.h"
#include "probes/timeline_bar.h"
#include "unionfs/base/terminal.h"

namespace strata::probes {
namespace {

constexpr size_t kShown = 10;
constexpr std::string_view kGap = "  ";
constexpr size_t kCount = 7;  // columns of a count
constexpr size_t kTime = 8;   // and of a time

// A bar of eighths of a cell: fine enough for shares of a few per cent.
std::string share_bar(double share, size_t cells) {
  constexpr std::string_view kEighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const auto eighths = static_cast<size_t>(std::lround(share * static_cast<double>(cells) * 8));
  std::string bar;
  for (size_t i = 0; i < eighths / 8; ++i) bar += "█";
  bar += kEighths[eighths % 8];
  return bar;
}

std::string count_text(uint64_t count) {
  return with_thousands(static_cast<int64_t>(count));
}

std::string time_text(uint64_t ns) {
  return duration(static_cast<int64_t>(ns));
}

// What waits would dwarf what works, so it stands apart and has no bar.
class CallTable {
 public:
  CallTable(std::vector<CallSum> totals, const TimelineStyle& style) : style_(style) {
    for (auto& sum : totals) (is_waiting(sum.name) ? waiting_ : working_).push_back(std::move(sum));
    if (working_.size() > kShown) {
      const CallSum rest = sum_of_rest();
      working_.resize(kShown);
      working_.push_back(rest);
    }
    for (const auto& sum : working_) {
      name_ = std::max(name_, columns_of(sum.name));
      most_ns_ = std::max(most_ns_, sum.total_ns);
    }
    const size_t fixed = name_ + 2 * kCount + 3 * kTime + 7 * kGap.size();
    bar_ = std::clamp<size_t>(style.width > fixed ? style.width - fixed : 0, 8, 40);
  }

  [[nodiscard]] std::string draw() const {
    if (working_.empty() && waiting_.empty()) return {};
    std::string out = heading();
    for (const auto& sum : working_) out += row(sum);
    if (!waiting_.empty()) out += waiting_line();
    return out;
  }

 private:
  [[nodiscard]] CallSum sum_of_rest() const;
  [[nodiscard]] std::string heading() const;
  [[nodiscard]] std::string row(const CallSum& sum) const;
  [[nodiscard]] std::string waiting_line() const;

  const TimelineStyle& style_;
  std::vector<CallSum> working_;
  std::vector<CallSum> waiting_;
  uint64_t most_ns_ = 1;
  size_t name_ = 11;  // columns
  size_t bar_ = 8;
};

CallSum CallTable::sum_of_rest() const {
  CallSum rest{.name = "others"};
  for (size_t i = kShown; i < working_.size(); ++i) {
    rest.count += working_[i].count;
    rest.errors += working_[i].errors;
    rest.total_ns += working_[i].total_ns;
    rest.max_ns = std::max(rest.max_ns, working_[i].max_ns);
  }
  return rest;
}

std::string CallTable::heading() const {
  const std::string gap(kGap);
  return paint(style_.fd, Colour::kDim,
               gap + fit("system call", name_) + gap + pad_left("calls", kCount) + gap +
                   pad_left("failed", kCount) + gap + pad_left("total", kTime) + gap +
                   pad_left("mean", kTime) + gap + pad_left("longest", kTime)) +
         "\n";
}

std::string CallTable::row(const CallSum& sum) const {
  const std::string gap(kGap);
  const bool failed = sum.errors > 0;
  const double share = static_cast<double>(sum.total_ns) / static_cast<double>(most_ns_);
  std::string out = gap + fit(sum.name, name_) + gap + pad_left(count_text(sum.count), kCount);
  out += gap + paint(style_.fd, failed ? Colour::kNone : Colour::kDim,
                     pad_left(failed ? count_text(sum.errors) : "–", kCount));
  const uint64_t mean_ns = sum.total_ns / std::max<uint64_t>(sum.count, 1);
  for (const uint64_t ns : {sum.total_ns, mean_ns, sum.max_ns})
    out += gap + pad_left(time_text(ns), kTime);
  return out + gap + paint(style_.fd, Colour::kYellow, share_bar(share, bar_)) + "\n";
}

std::string CallTable::waiting_line() const {
  std::string text;
  for (const auto& sum : waiting_) {
    if (!text.empty()) text += " · ";
    text += sum.name;
    text += " ×" + count_text(sum.count) + " " + time_text(sum.total_ns);
  }
  const std::string gap(kGap);
  const size_t room = style_.width - std::min(style_.width, name_ + 2 * kGap.size());
  return paint(style_.fd, Colour::kDim,
               gap + fit("waiting", name_) + gap + fit(text, std::min(columns_of(text), room))) +
         "\n";
}

}  // namespace

std::vector<CallSum> total_calls(const StartupTrace& trace) {
  std::map<std::string_view, CallSum> by_name;
  for (const auto& process : trace.processes) {
    for (const auto& sum : process.calls) {
      CallSum& total = by_name[sum.name];
      total.name = sum.name;
      total.count += sum.count;
      total.errors += sum.errors;
      total.total_ns += sum.total_ns;
      total.max_ns = std::max(total.max_ns, sum.max_ns);
    }
  }
  std::vector<CallSum> totals;
  totals.reserve(by_name.size());
  for (auto& [name, sum] : by_name) totals.push_back(std::move(sum));
  std::ranges::stable_sort(totals, std::greater{}, &CallSum::total_ns);
  return totals;
}

std::string draw_call_table(const StartupTrace& trace, const TimelineStyle& style) {
  return CallTable(total_calls(trace), style).draw();
}

}  // namespace strata::probes
