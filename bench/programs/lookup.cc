// What a look into a file system costs: a tree that is mounted, or a union that nobody mounted.
//
//   strata-bench-lookup tree   HITS MISSES ROOT
//   strata-bench-lookup root   HITS MISSES                      (of the process, without mounts in
//   it) strata-bench-lookup engine HITS MISSES INDEX-DIR LAYER…     (top first)
//
// HITS and MISSES are files with a path a line, relative to the root. Writes "metric NAME VALUE"
// lines (bench/reported_metrics.h):
//
// - cold_hit_ns, cold_miss_ns: one lstat(2) (or lookup in the index), caches dropped before
// - cold_…_dentries_count: names that the kernel had to make for it: what tells cold from warm
// - warm_hit_ns, warm_miss_ns: the same once more, the best of some rounds
// - cold_open_ns, open_ns: open(2) and close(2), cold and warm
// - find_ns: find(1) over all (engine: a walk with a stat of each), cold
// - tar_ns: tar(1) of all into a pipe, cold
// - tar_names_ns: the same without reading content, cold
// - index_open_ns: engine: opening the index
//
// Cold means that the kernel's dentries and inodes were dropped (/proc/sys/vm/drop_caches): of the
// whole machine, so nothing else should run on it.
#include <dirent.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "unionfs/base/file.h"
#include "unionfs/base/subprocess.h"
#include "unionfs/index/cache.h"
#include "unionfs/union.h"

namespace {

using namespace strata;
using Clock = std::chrono::steady_clock;
using Paths = std::vector<std::string>;

constexpr int kWarmRounds = 5;

void report(const std::string& name, double value) {
  std::printf("metric %s %.1f\n", name.c_str(), value);
}

double ns_since(Clock::time_point start) {
  return std::chrono::duration<double, std::nano>(Clock::now() - start).count();
}

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "strata-bench-lookup: %s\n", why.c_str());
  std::exit(1);
}

Paths read_paths(const char* file) {
  Paths paths;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) paths.push_back(line);
  if (paths.empty()) give_up(std::string(file) + ": no paths");
  return paths;
}

void drop_caches() {
  ::sync();
  if (const auto dropped = write_control("/proc/sys/vm/drop_caches", "2"); !dropped)
    give_up(dropped.error().what);
}

// Of the whole machine (Documentation/admin-guide/sysctl/fs.rst, dentry-state).
long dentries() {
  std::ifstream in("/proc/sys/fs/dentry-state");
  long count = 0;
  in >> count;
  return count;
}

using Look = std::function<bool(const std::string&)>;

// Looks at all paths once; gives the time a look. `expected` is what each has to say.
double time_pass(const Paths& paths, const Look& look, bool expected) {
  const auto start = Clock::now();
  bool as_expected = true;
  for (const std::string& path : paths) as_expected &= look(path) == expected;
  const double time = ns_since(start) / static_cast<double>(paths.size());
  if (!as_expected) give_up("a path that should be there is not, or the other way round");
  return time;
}

void measure(const std::string& name, const Paths& paths, const Look& look, bool expected,
             bool with_cold) {
  if (with_cold) {
    drop_caches();
    const long before = dentries();
    report("cold_" + name + "_ns", time_pass(paths, look, expected));
    report(
        "cold_" + name + "_dentries_count",
        static_cast<double>(std::max(0L, dentries() - before)) / static_cast<double>(paths.size()));
  }
  double best = time_pass(paths, look, expected);
  for (int round = 1; round < kWarmRounds; ++round)
    best = std::min(best, time_pass(paths, look, expected));
  report("warm_" + name + "_ns", best);
}

void time_tool(const std::string& metric, const std::string& command, const std::string& root) {
  drop_caches();
  const auto start = Clock::now();
  const auto done = run_checked({.argv = {"sh", "-c", command, "sh", root}, .output_limit = 0});
  if (!done) give_up(done.error().what);
  report(metric, ns_since(start));
}

int measure_tree(const Paths& hits, const Paths& misses, const std::string& root) {
  auto directory = open_file(root, O_PATH | O_DIRECTORY);
  if (!directory) give_up(directory.error().what);
  const int fd = directory->get();
  const Look look = [fd](const std::string& path) {
    struct stat status {};
    return ::fstatat(fd, path.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
  };
  measure("hit", hits, look, true, true);
  measure("miss", misses, look, false, true);
  const Look open = [fd](const std::string& path) {
    const UniqueFd file(::openat(fd, path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
    return file.valid();
  };
  drop_caches();
  report("cold_open_ns", time_pass(hits, open, true));
  report("open_ns", time_pass(hits, open, true));
  time_tool("find_ns", R"(find "$1" -printf '%s')", root);
  // GNU tar reads no content for /dev/null.
  time_tool("tar_names_ns", R"(tar -C "$1" -cf /dev/null .)", root);
  time_tool("tar_ns", R"(tar -C "$1" -cf - . | cat)", root);
  return 0;
}

// What is mounted in the root directory doesn't belong to it: a bind mount leaves that out.
int measure_root(const Paths& hits, const Paths& misses) {
  char directory[] = "/strata-lookup-XXXXXX";
  if (::mkdtemp(directory) == nullptr || ::mount("/", directory, nullptr, MS_BIND, nullptr) < 0)
    give_up(std::string("bind the root directory: ") + std::strerror(errno));
  const int status = measure_tree(hits, misses, directory);
  if (::umount(directory) < 0 || ::rmdir(directory) < 0) give_up("undo the bind mount");
  return status;
}

void walk(const unionfs::Union& merged, const std::string& path) {
  const auto entries = merged.read_directory(path);
  if (!entries) give_up(entries.error().what);
  for (const auto& entry : *entries) {
    const std::string child = (path == "/" ? path : path + "/") + entry.name;
    if (const auto status = merged.stat(child); !status) give_up(status.error().what);
    if (entry.type == DT_DIR) walk(merged, child);
  }
}

int measure_engine(const Paths& hits, const Paths& misses, const std::string& index_dir,
                   std::vector<std::filesystem::path> layers) {
  auto stack = unionfs::LayerStack::open(std::move(layers));
  if (!stack) give_up(stack.error().what);
  if (const auto built = unionfs::index::open_index(*stack, index_dir); !built)
    give_up(built.error().what);
  const auto start = Clock::now();
  auto opened = unionfs::index::open_index(*stack, index_dir);
  if (!opened) give_up(opened.error().what);
  report("index_open_ns", ns_since(start));
  const unionfs::index::Index index = opened->index;
  const Look look = [&index](const std::string& path) { return index.lookup(path) != nullptr; };
  measure("hit", hits, look, true, false);
  measure("miss", misses, look, false, false);
  auto merged = unionfs::Union::open(*std::move(stack), index, std::nullopt);
  if (!merged) give_up(merged.error().what);
  const Look open = [&](const std::string& path) {
    return merged->open(path, O_RDONLY | O_NOFOLLOW).has_value();
  };
  (void)time_pass(hits, open, true);
  report("open_ns", time_pass(hits, open, true));
  drop_caches();
  const auto walk_start = Clock::now();
  walk(*merged, "/");
  report("find_ns", ns_since(walk_start));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string kind = argc > 1 ? argv[1] : "";
  if (kind == "tree" && argc == 5)
    return measure_tree(read_paths(argv[2]), read_paths(argv[3]), argv[4]);
  if (kind == "root" && argc == 4) return measure_root(read_paths(argv[2]), read_paths(argv[3]));
  if (kind == "engine" && argc > 5)
    return measure_engine(read_paths(argv[2]), read_paths(argv[3]), argv[4],
                          {argv + 5, argv + argc});
  std::fprintf(stderr,
               "strata-bench-lookup tree HITS MISSES ROOT\n"
               "strata-bench-lookup root HITS MISSES\n"
               "strata-bench-lookup engine HITS MISSES INDEX-DIR LAYER…\n");
  return 2;
}
