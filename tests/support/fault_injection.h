// strace(1) as what makes system calls fail, or kills who makes them ("Syscall tampering").
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace strata::testing {

// The calls of one name that a process makes, counted from 1.
struct CallRange {
  int first = 1;
  int last = 0;
};
using SystemCalls = std::map<std::string, CallRange>;

// What strace wrote of one process (without process IDs); of interest are the calls after the first
// one that begins with `from` and before the next one that begins with `to`. Empty: no such bound.
[[nodiscard]] SystemCalls system_calls(std::string_view log, std::string_view from,
                                       std::string_view to = {});

// The options of strace that trace `call` alone and do `fault` ("error=EIO", "signal=KILL") to the
// `number`th one of each process.
[[nodiscard]] std::vector<std::string> inject(const std::string& call, const std::string& fault,
                                              int number);

}  // namespace strata::testing
