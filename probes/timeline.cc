#include "probes/timeline.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "probes/call_table.h"
#include "probes/text.h"
#include "probes/timeline_bar.h"
#include "probes/tree_rows.h"
#include "unionfs/base/terminal.h"

namespace strata::probes {
namespace {

constexpr std::string_view kGap = "  ";
constexpr std::string_view kExecMark = "◆";
constexpr std::string_view kKilledMark = "✖";
constexpr std::string_view kRunningOnMark = "›";

std::string count_of(uint64_t count, std::string_view singular) {
  std::string text = with_thousands(static_cast<int64_t>(count)) + " " + std::string(singular);
  if (count != 1) text += text.ends_with("s") ? "es" : "s";
  return text;
}

class Timeline {
 public:
  Timeline(const StartupTrace& trace, const TimelineStyle& style) : trace_(trace), style_(style) {
    number_ = std::max<size_t>(6, microseconds(trace.duration_ns).size());
    for (const auto& process : trace.processes)
      pid_ = std::max(pid_, std::to_string(process.pid).size());
    const size_t fixed = pid_ + 3 * number_ + kStatus + 7 * kGap.size();
    const size_t left = std::max<size_t>(style.width, fixed + 36) - fixed;
    bar_ = std::clamp<size_t>(left / 2, 16, 72);
    name_ = left - bar_;
  }

  std::string draw() {
    std::string out = title() + "\n" + heading();
    const auto rows = tree_rows(trace_);
    const size_t shown =
        style_.process_limit == 0 ? rows.size() : std::min(rows.size(), style_.process_limit);
    for (size_t i = 0; i < shown; ++i) {
      out += process_line(rows[i]);
      if (rows.size() <= kProcessesWithCalls) out += calls_line(rows[i]);
    }
    if (shown < rows.size())
      out += std::string(kGap) + dim("… " + count_of(rows.size() - shown, "more process")) + "\n";
    return out + legend() + "\n" + draw_call_table(trace_, style_) + losses();
  }

 private:
  static constexpr size_t kStatus = 6;
  // A larger tree is shown for its shape: one line a process.
  static constexpr size_t kProcessesWithCalls = 15;

  [[nodiscard]] std::string in(Colour colour, std::string_view text) const {
    return paint(style_.fd, colour, text);
  }
  [[nodiscard]] std::string dim(std::string_view text) const { return in(Colour::kDim, text); }

  [[nodiscard]] std::string title() const;
  [[nodiscard]] std::string heading() const;
  [[nodiscard]] std::string process_line(const TreeRow& row) const;
  [[nodiscard]] std::string calls_line(const TreeRow& row) const;
  [[nodiscard]] std::string bar(const TracedProcess& process) const;
  [[nodiscard]] std::string status(const TracedProcess& process) const;
  [[nodiscard]] std::string legend() const;
  [[nodiscard]] std::string losses() const;

  const StartupTrace& trace_;
  const TimelineStyle& style_;
  size_t pid_ = 3;
  size_t number_ = 6;  // of a time column
  size_t name_ = 0;
  size_t bar_ = 0;
};

std::string ending(int status) {
  return status > 128 ? "killed by SIG" + signal_name(status - 128)
                      : "exit " + std::to_string(status);
}

std::string Timeline::title() const {
  size_t execs = 0;
  uint64_t calls = 0;
  uint64_t errors = 0;
  for (const auto& process : trace_.processes) {
    execs += process.executions.size();
    for (const auto& sum : process.calls) {
      calls += sum.count;
      errors += sum.errors;
    }
  }
  const int status = trace_.end.status;
  std::string command = shell_line(trace_.argv);
  command = fit(command, std::min(columns_of(command), style_.width - 2 * kGap.size()));
  std::string out = std::string(kGap) + in(Colour::kBold, command) + "\n";
  out += std::string(kGap) + in(status == 0 ? Colour::kGreen : Colour::kRed, ending(status)) +
         " after " + in(Colour::kBold, duration(trace_.duration_ns)) + dim(" · ") +
         count_of(trace_.processes.size(), "process") + dim(" · ") + count_of(execs, "exec") +
         dim(" · ") + count_of(calls, "system call");
  if (errors > 0) out += dim(" (" + with_thousands(static_cast<int64_t>(errors)) + " failed)");
  return out + "\n";
}

std::string Timeline::heading() const {
  // The axis above the bars: 0, the half, the end.
  const std::string half = duration(trace_.duration_ns / 2);
  const std::string end = duration(trace_.duration_ns);
  std::string axis = fit("0", bar_ / 2 - columns_of(half) / 2) + half;
  if (bar_ < 24) axis = "0";
  axis += pad_left(end, bar_ - columns_of(axis));
  const std::string gap(kGap);
  return dim(gap + pad_left("pid", pid_) + gap + pad_left("start", number_) + gap +
             pad_left("exec", number_) + gap + pad_left("end µs", number_) + gap +
             fit("process", name_) + gap + axis + gap + "status") +
         "\n";
}

std::string name_of(const TracedProcess& process) {
  if (process.executions.empty()) return "(" + printable(process.comm) + ")";
  const auto& last = process.executions.back();
  return last.arguments.empty() ? printable(last.path) : shell_line(last.arguments);
}

std::string Timeline::process_line(const TreeRow& row) const {
  const TracedProcess& process = *row.process;
  const std::string gap(kGap);
  std::string notes;
  if (process.own_pid != process.pid) notes += " pid " + std::to_string(process.own_pid);
  if (process.threads > 1) notes += " " + std::to_string(process.threads) + " threads";

  std::string name = name_of(process);
  const size_t taken = columns_of(row.branch) + columns_of(notes);
  const size_t room = name_ > taken + 4 ? name_ - taken : 4;
  name = fit(name, std::min(room, columns_of(name)));
  const size_t used = columns_of(row.branch) + columns_of(name) + columns_of(notes);

  const auto exec =
      process.executions.empty() ? std::string("–") : microseconds(process.executions.back().at_ns);
  const auto end = process.end_ns ? microseconds(*process.end_ns) : std::string("–");
  return gap + dim(pad_left(std::to_string(process.pid), pid_)) + gap +
         pad_left(microseconds(process.start_ns), number_) + gap + pad_left(exec, number_) + gap +
         pad_left(end, number_) + gap + dim(row.branch) +
         (process.executions.empty() ? dim(name) : name) +
         (notes.empty() ? notes : in(Colour::kBlue, notes)) +
         std::string(name_ > used ? name_ - used : 0, ' ') + gap + bar(process) + gap +
         status(process) + "\n";
}

// The costliest calls, as many as fit.
std::string Timeline::calls_line(const TreeRow& row) const {
  if (row.process->calls.empty()) return {};
  const size_t indent = pid_ + 3 * number_ + 5 * kGap.size();
  const size_t room = name_ + kGap.size() + bar_;
  std::string line;
  for (const auto& sum : row.process->calls) {
    std::string item = sum.name;
    if (sum.count > 1) item += " ×" + with_thousands(static_cast<int64_t>(sum.count));
    item += " " + duration(static_cast<int64_t>(sum.total_ns));
    const std::string_view separator = line.empty() ? "" : " · ";
    if (columns_of(row.continuation) + columns_of(line) + columns_of(item) + 6 > room) break;
    line += separator;
    line += item;
  }
  return std::string(indent, ' ') + dim(row.continuation + "   " + line) + "\n";
}

std::string_view glyph_of(Activity activity) {
  switch (activity) {
    case Activity::kRunning:
      return "█";
    case Activity::kCalling:
      return "▒";
    case Activity::kWaiting:
      return "─";
    case Activity::kAbsent:
      break;
  }
  return " ";
}

Colour colour_of(Activity activity) {
  switch (activity) {
    case Activity::kRunning:
      return Colour::kGreen;
    case Activity::kCalling:
      return Colour::kYellow;
    case Activity::kWaiting:
      return Colour::kDim;
    case Activity::kAbsent:
      break;
  }
  return Colour::kNone;
}

std::string Timeline::bar(const TracedProcess& process) const {
  const auto cells = activities(process, trace_.calls, trace_.duration_ns, bar_);
  std::vector<std::string> drawn;
  drawn.reserve(cells.size());
  for (const Activity activity : cells)
    drawn.push_back(in(colour_of(activity), glyph_of(activity)));
  const auto mark = [&](int64_t at_ns, Colour colour, std::string_view glyph) {
    drawn[cell_of(at_ns, trace_.duration_ns, bar_)] = in(colour, glyph);
  };
  for (const auto& execution : process.executions) mark(execution.at_ns, Colour::kBold, kExecMark);
  if (process.status.value_or(0) > 128) mark(*process.end_ns, Colour::kRed, kKilledMark);
  if (!process.end_ns) mark(trace_.duration_ns, Colour::kBold, kRunningOnMark);
  std::string out;
  for (const auto& cell : drawn) out += cell;
  return out;
}

std::string Timeline::status(const TracedProcess& process) const {
  if (!process.status) return in(Colour::kBlue, "runs");
  if (*process.status == 0) return dim("0");
  const bool killed = *process.status > 128;
  return in(Colour::kRed,
            killed ? signal_name(*process.status - 128) : std::to_string(*process.status));
}

std::string Timeline::legend() const {
  std::string out(kGap);
  const auto item = [&](Colour colour, std::string_view glyph, std::string_view text) {
    out += in(colour, glyph) + dim(" " + std::string(text) + "  ");
  };
  if (!trace_.calls.empty()) {
    item(Colour::kGreen, glyph_of(Activity::kRunning), "own code, or no CPU");
    item(Colour::kYellow, glyph_of(Activity::kCalling), "system calls");
    item(Colour::kDim, glyph_of(Activity::kWaiting), "waiting");
  } else {
    item(Colour::kGreen, glyph_of(Activity::kRunning), "alive");
  }
  item(Colour::kBold, kExecMark, "exec");
  item(Colour::kRed, kKilledMark, "killed");
  item(Colour::kBold, kRunningOnMark, "runs on");
  return "\n" + out + "\n";
}

std::string Timeline::losses() const {
  const Drops& drops = trace_.drops;
  std::string out;
  const auto item = [&](uint64_t count, std::string_view what, std::string_view consequence) {
    if (count == 0) return;
    out += std::string(kGap) +
           in(Colour::kYellow, "incomplete: " + count_of(count, what) + " lost") +
           dim(", " + std::string(consequence)) + "\n";
  };
  item(drops.events, "fork, exec or exit event", "their buffer was full");
  item(drops.calls, "single call", "so the bars are coarse; the sums count them");
  item(drops.call_sums, "call", "in no sum: the table was full");
  item(drops.tasks, "process or thread", "not followed: the table was full");
  return out.empty() ? out : "\n" + out;
}

}  // namespace

std::string draw_timeline(const StartupTrace& trace, const TimelineStyle& style) {
  return Timeline(trace, style).draw();
}

}  // namespace strata::probes
