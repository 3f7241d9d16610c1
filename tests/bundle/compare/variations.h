// Configurations that differ in one thing each from one that everybody understands; together they
// have every member of the specification that concerns Linux.
#pragma once

#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include "unionfs/base/json.h"

namespace strata::bundle {

// Whether other runtimes, in the versions of the reference distribution, know the member.
enum Peers : unsigned { kNone = 0, kRunc = 1, kCrun = 2, kBoth = 3 };

struct Variation {
  std::string name;
  std::function<void(Json&)> change;
  unsigned peers = kBoth;  // who gives the same picture
  // A piece of a line in our picture, where that can be said.
  std::string sees = "";
  // What has to be refused, by its JSON path in the error: then there is no picture.
  std::string refused = "";
};

// As GoogleTest names it.
inline void PrintTo(const Variation& variation, std::ostream* out) {
  *out << variation.name;
}

// What is varied: a program that looks around, in a directory `bundle` with all that variations
// need.
[[nodiscard]] Json base_config(const std::string& cgroup);

[[nodiscard]] const std::vector<Variation>& variations();

}  // namespace strata::bundle
