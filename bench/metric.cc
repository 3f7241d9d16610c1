#include "bench/metric.h"

#include <algorithm>
#include <array>
#include <set>

namespace strata::bench {
namespace {

struct Known {
  const char* name;
  const char* title;
  const char* description;
  bool headline;
};

constexpr std::array kKnown{
    Known{metric::kFirstByte, "start to first instruction",
          "Host time from starting the target's command until the first byte that the program "
          "inside writes reaches the harness.",
          true},
    Known{metric::kExit, "start to exit",
          "Host time from starting the target's command until it has exited, teardown included.",
          true},
    Known{metric::kGone, "start to the last process gone",
          "Where something outlives the command itself (a detached container): host time until its "
          "last process is gone.",
          false},
    Known{metric::kPeakRss, "peak memory",
          "Resident memory of the largest single process of the target at its peak "
          "(wait4(2), ru_maxrss).",
          false},
    Known{metric::kUser, "CPU time in user mode", "Of the target's processes that were waited for.",
          false},
    Known{metric::kSystem, "CPU time in the kernel",
          "Of the target's processes that were waited for.", false},
    Known{
        "cold_hit_ns", "lookup of a file, cold",
        "One lstat(2) of a file four components deep, right after the kernel's dentries and inodes "
        "were dropped; the mean over the paths.",
        true},
    Known{"cold_miss_ns", "lookup of a missing name, cold", "The same of names that are not there.",
          true},
    Known{"warm_hit_ns", "lookup of a file, warm",
          "One more lstat(2) of the same paths (engine: lookup in the index); the best of five "
          "rounds.",
          true},
    Known{"warm_miss_ns", "lookup of a missing name, warm", "The same of names that are not there.",
          true},
    Known{"cold_hit_dentries_count", "names made for a cold lookup",
          "How many dentries the whole kernel had more afterwards, a path: what tells cold from "
          "warm.",
          false},
    Known{"cold_miss_dentries_count", "names made for a cold miss", "The same of misses.", false},
    Known{"cold_open_ns", "open and close, cold",
          "open(2) for reading and close(2) of the same paths, after dentries and inodes were "
          "dropped.",
          true},
    Known{"open_ns", "open and close, warm", "open(2) for reading and close(2) of the same paths.",
          true},
    Known{
        "find_ns", "find, cold",
        "find(1) with the size of everything (engine: a walk with a stat of each), after dentries "
        "and inodes were dropped.",
        true},
    Known{"tar_ns", "tar, cold",
          "tar(1) of everything into a pipe, after dentries and inodes were dropped.", true},
    Known{"tar_names_ns", "tar without content, cold",
          "tar(1) of everything into /dev/null, for which it reads no content.", false},
    Known{"index_open_ns", "opening the index", "Mapping and verifying all segments.", false},
    Known{"start_first_ns", "start in the background, the first",
          "From starting the command to its exit: the median of the first 20 containers.", true},
    Known{"start_last_ns", "start in the background, the last",
          "The same of the last 20, when all others run.", true},
    Known{"own_private_bytes", "private memory of the runtime a container",
          "Of its own processes that stay with a running container.", true},
    Known{"system_bytes", "memory of the machine a container",
          "How much less there was with all of them running, divided by their number.", false},
    Known{"remove_ns", "removal of a running container", "The median.", false},
    Known{"run_1_per_second", "runs a second, one after the other", "", true},
    Known{"run_2_per_second", "runs a second, 2 at once", "", true},
    Known{"run_32_per_second", "runs a second, 32 at once", "", true},
    Known{metric::kWall, "time per iteration", "Wall-clock time per iteration.", true},
    Known{metric::kCpu, "CPU time per iteration", "CPU time per iteration.", false},
};

const Known* find_known(std::string_view name) {
  const auto found = std::find_if(kKnown.begin(), kKnown.end(),
                                  [&](const Known& known) { return name == known.name; });
  return found == kKnown.end() ? nullptr : found;
}

}  // namespace

Unit unit_of(std::string_view metric) {
  if (metric.ends_with("_ns")) return Unit::kNanoseconds;
  if (metric.ends_with("_bytes")) return Unit::kBytes;
  if (metric.ends_with("_per_second")) return Unit::kPerSecond;
  return Unit::kCount;
}

std::string metric_title(std::string_view metric) {
  const Known* known = find_known(metric);
  return known != nullptr ? known->title : std::string(metric);
}

std::string metric_description(std::string_view metric) {
  const Known* known = find_known(metric);
  return known != nullptr ? known->description : std::string();
}

bool higher_is_better(std::string_view metric) {
  return unit_of(metric) == Unit::kPerSecond;
}

bool is_headline(std::string_view metric) {
  const Known* known = find_known(metric);
  return known != nullptr && known->headline;
}

std::vector<std::string> metric_names(const Document& document) {
  std::set<std::string> found;
  for (const auto& sample : document.samples)
    for (const auto& [name, value] : sample.metrics) found.insert(name);
  std::vector<std::string> names;
  for (const auto& known : kKnown)
    if (found.erase(known.name) > 0) names.emplace_back(known.name);
  names.insert(names.end(), found.begin(), found.end());
  return names;
}

}  // namespace strata::bench
