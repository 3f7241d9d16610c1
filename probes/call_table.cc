#include "probes/call_table.h"

#include <algorithm>
#include <map>
#include <string_view>

#include "probes/text.h"
#include "probes/timeline_bar.h"
#include "unionfs/base/terminal.h"

namespace strata::probes {
namespace {

constexpr size_t kShown = 10;
constexpr std::string_view kGap = "  ";

// A bar of eighths of a cell: fine enough for shares of a few per cent.
std::string share_bar(double share, size_t cells) {
  constexpr std::string_view kEighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const auto eighths = static_cast<size_t>(share * static_cast<double>(cells) * 8 + 0.5);
  std::string bar;
  for (size_t i = 0; i < eighths / 8; ++i) bar += "█";
  bar += kEighths[eighths % 8];
  return bar;
}

struct Widths {
  size_t name = 11;
  size_t bar = 20;
};

std::string row(const CallSum& sum, double share, const Widths& widths, Colour colour, int fd) {
  const std::string gap(kGap);
  const auto number = [](uint64_t n) { return with_thousands(static_cast<int64_t>(n)); };
  const auto failed = pad_left(sum.errors > 0 ? number(sum.errors) : "–", 7);
  return gap + fit(sum.name, widths.name) + gap + pad_left(number(sum.count), 7) + gap +
         paint(fd, sum.errors > 0 ? Colour::kNone : Colour::kDim, failed) + gap +
         pad_left(duration(static_cast<int64_t>(sum.total_ns)), 8) + gap +
         pad_left(duration(static_cast<int64_t>(sum.total_ns / std::max<uint64_t>(sum.count, 1))),
                  8) +
         gap + pad_left(duration(static_cast<int64_t>(sum.max_ns)), 8) + gap +
         paint(fd, colour, share_bar(share, widths.bar)) + "\n";
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
  // What waits would dwarf what works, so it stands apart and has no bar.
  auto totals = total_calls(trace);
  const auto waits = std::ranges::stable_partition(
      totals, [](const CallSum& sum) { return !is_waiting(sum.name); });
  const size_t working = totals.size() - waits.size();
  if (totals.empty()) return {};

  Widths widths;
  for (size_t i = 0; i < std::min(working, kShown); ++i)
    widths.name = std::max(widths.name, columns_of(totals[i].name));
  const size_t fixed = widths.name + 7 + 7 + 3 * 8 + 7 * kGap.size();
  widths.bar = std::clamp<size_t>(style.width > fixed ? style.width - fixed : 0, 8, 40);

  const std::string gap(kGap);
  std::string out = paint(style.fd, Colour::kDim,
                          gap + fit("system call", widths.name) + gap + pad_left("calls", 7) + gap +
                              pad_left("failed", 7) + gap + pad_left("total", 8) + gap +
                              pad_left("mean", 8) + gap + pad_left("longest", 8)) +
                    "\n";
  const double most = working > 0 ? static_cast<double>(totals.front().total_ns) : 1;
  for (size_t i = 0; i < std::min(working, kShown); ++i) {
    out += row(totals[i], static_cast<double>(totals[i].total_ns) / std::max(most, 1.0), widths,
               Colour::kYellow, style.fd);
  }
  CallSum rest{.name = "others"};
  for (size_t i = kShown; i < working; ++i) {
    rest.count += totals[i].count;
    rest.errors += totals[i].errors;
    rest.total_ns += totals[i].total_ns;
    rest.max_ns = std::max(rest.max_ns, totals[i].max_ns);
  }
  if (rest.count > 0) {
    out += row(rest, static_cast<double>(rest.total_ns) / std::max(most, 1.0), widths,
               Colour::kYellow, style.fd);
  }
  std::string waiting;
  for (const auto& sum : waits) {
    if (!waiting.empty()) waiting += " · ";
    waiting += sum.name + " ×" + with_thousands(static_cast<int64_t>(sum.count)) + " " +
               duration(static_cast<int64_t>(sum.total_ns));
  }
  if (!waiting.empty()) {
    out += paint(style.fd, Colour::kDim,
                 gap + fit("waiting", widths.name) + gap +
                     fit(waiting, std::min(columns_of(waiting),
                                           style.width - widths.name - 2 * gap.size()))) +
           "\n";
  }
  return out;
}

}  // namespace strata::probes
