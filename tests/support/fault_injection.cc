#include "tests/support/fault_injection.h"

#include <sstream>

namespace strata::testing {

SystemCalls system_calls(std::string_view log, std::string_view from, std::string_view to) {
  SystemCalls found;
  bool of_interest = from.empty();
  std::istringstream lines{std::string(log)};
  for (std::string line; std::getline(lines, line);) {
    const auto parenthesis = line.find('(');
    if (parenthesis == std::string::npos) continue;  // a signal, an exit
    if (of_interest && !to.empty() && line.starts_with(to)) break;
    const std::string name = line.substr(0, parenthesis);
    CallRange& range = found[name];
    ++range.last;
    if (!of_interest) range.first = range.last + 1;
    of_interest = of_interest || line.starts_with(from);
  }
  std::erase_if(found, [](const auto& call) { return call.second.first > call.second.last; });
  return found;
}

std::vector<std::string> inject(const std::string& call, const std::string& fault, int number) {
  return {"-e", "trace=" + call, "-e",
          "inject=" + call + ":" + fault + ":when=" + std::to_string(number)};
}

}  // namespace strata::testing
