// Every verb of `strata`, which program answers it, and its line in `strata --help`. As git does,
// `strata VERB` runs a program that stands beside it, so `strata` itself links only what starting
// a container needs; an unknown verb X is tried as `strata-X`.
#pragma once

#include <span>
#include <string_view>

namespace strata::cli {

struct Verb {
  std::string_view name;
  std::string_view program;  // "strata", "strata-image", …
  bool is_program_name;      // the verb names the program itself and is not passed on to it
  int failure_status;        // exit status of our own errors
  std::string_view group;    // heading in --help
  std::string_view summary;
};

[[nodiscard]] std::span<const Verb> verbs();
[[nodiscard]] const Verb* find_verb(std::string_view name);

}  // namespace strata::cli
