// oci-compare: the same configurations under strata-oci, runc and crun, and what their processes
// see of it.
//
//   oci-compare [--only TEXT]           each variation by itself (those whose name has TEXT in it)
//   oci-compare --random N [--seed S]   N combinations of several
//   oci-compare --list
//
// It prints what differs without being meant to; the exit status is 1 if anything does.

#include <cstdio>
#include <cstdlib>
#include <random>
#include <set>
#include <string>
#include <string_view>

#include "tests/bundle/compare/picture.h"
#include "tests/support/environment.h"

namespace {

using namespace strata;
using bundle::Variation;

struct Options {
  std::string only;
  long random = 0;
  uint64_t seed = 1;
  bool list = false;
};

// The number of differences.
size_t compare(bundle::Painter& painter, const Json& config, unsigned peers,
               const std::string& name) {
  const auto ours = painter.paint(strata::testing::own_program("strata-oci"), config);
  size_t count = 0;
  for (const auto& [bit, peer] : {std::pair(bundle::kRunc, "runc"), {bundle::kCrun, "crun"}}) {
    if ((peers & bit) == 0) continue;
    for (const auto& line : bundle::differences(ours, painter.paint(peer, config), peer)) {
      std::printf("%s: %s\n", name.c_str(), line.c_str());
      ++count;
    }
  }
  std::fflush(stdout);
  return count;
}

size_t compare_each(bundle::Painter& painter, const std::string& only) {
  size_t count = 0;
  for (const auto& variation : bundle::variations()) {
    if (variation.name.find(only) == std::string::npos || variation.peers == bundle::kNone)
      continue;
    Json config = painter.base();
    variation.change(config);
    count += compare(painter, config, variation.peers, variation.name);
  }
  return count;
}

// Ours mounts only the last of several mounts in one place; the others show those below it, too.
bool mounts_twice(const Json& config) {
  std::set<std::string> places;
  for (const auto& mount : config["mounts"])
    if (!places.insert(mount["destination"]).second) return true;
  return false;
}

size_t compare_random(bundle::Painter& painter, const Options& options) {
  std::vector<const Variation*> usable;
  for (const auto& variation : bundle::variations())
    if (variation.peers != bundle::kNone) usable.push_back(&variation);
  std::mt19937_64 random(options.seed);
  size_t count = 0;
  for (long i = 0; i < options.random; ++i) {
    Json config = painter.base();
    unsigned peers = bundle::kBoth;
    std::string name;
    for (size_t parts = 2 + random() % 5; parts > 0; --parts) {
      const auto& variation = *usable[random() % usable.size()];
      variation.change(config);
      peers &= variation.peers;
      name += (name.empty() ? "" : " + ") + variation.name;
    }
    if (!mounts_twice(config)) count += compare(painter, config, peers, name);
  }
  return count;
}

int usage() {
  std::fprintf(stderr, "usage: oci-compare [--only TEXT | --random N [--seed S] | --list]\n");
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    const bool has_value = i + 1 < argc;
    if (argument == "--list")
      options.list = true;
    else if (argument == "--only" && has_value)
      options.only = argv[++i];
    else if (argument == "--random" && has_value)
      options.random = std::atol(argv[++i]);
    else if (argument == "--seed" && has_value)
      options.seed = static_cast<uint64_t>(std::atoll(argv[++i]));
    else
      return usage();
  }
  if (options.list) {
    for (const auto& variation : bundle::variations()) std::printf("%s\n", variation.name.c_str());
    return 0;
  }
  if (!strata::testing::enter_private_namespaces()) {
    std::fprintf(stderr, "oci-compare: needs root\n");
    return 1;
  }
  bundle::Painter painter;
  const size_t count =
      options.random > 0 ? compare_random(painter, options) : compare_each(painter, options.only);
  std::printf("%zu differences, left over: %s\n", count,
              painter.leftovers().empty() ? "nothing" : painter.leftovers().c_str());
  return count == 0 && painter.leftovers().empty() ? 0 : 1;
}
