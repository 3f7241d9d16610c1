// strata-oci update [--resources FILE|-] [LIMITS] CONTAINER-ID

#include <iostream>
#include <iterator>
#include <optional>

#include "runtime/bundle/container.h"
#include "runtime/bundle/control.h"
#include "runtime/cli/oci/oci_command.h"
#include "runtime/container/create.h"
#include "unionfs/base/file.h"

namespace strata::cli {
namespace {

struct Options {
  std::string id, file;
  std::string memory, memory_reservation, memory_swap;
  oci::Resources limits;
};

Result<void> parse_size(const std::string& text, std::optional<int64_t>& limit) {
  if (text.empty()) return {};
  if (text == "-1") {
    limit = -1;
    return {};
  }
  STRATA_TRY(limit, container::parse_memory(text));
  return {};
}

Result<oci::Resources> resources_of(const Options& options) {
  if (options.file.empty()) {
    oci::Resources limits = options.limits;
    STRATA_CHECK(parse_size(options.memory, limits.memory_limit));
    STRATA_CHECK(parse_size(options.memory_reservation, limits.memory_reservation));
    STRATA_CHECK(parse_size(options.memory_swap, limits.memory_swap));
    return limits;
  }
  if (options.file == "-") {
    const std::string text(std::istreambuf_iterator<char>(std::cin), {});
    return oci::resources_from_json(text, "standard input");
  }
  STRATA_TRY(const auto text, read_file(options.file));
  return oci::resources_from_json(text, options.file);
}

Result<int> update(OciGlobals& globals, const Options& options) {
  STRATA_TRY(const auto container, bundle::Container::load(globals.root, options.id));
  STRATA_TRY(const auto resources, resources_of(options));
  STRATA_TRY(auto cgroup, bundle::needed_cgroup(container));
  STRATA_CHECK(cgroup.update(resources));
  return 0;
}

// An option that sets a limit only if it is given.
template <class T>
void add_limit(CLI::App& app, const char* name, std::optional<T>& limit, const char* description) {
  app.add_option_function<T>(
      name, [&limit](const T& value) { limit = value; }, description);
}

}  // namespace

OciAction add_oci_update(CLI::App& app) {
  auto options = std::make_shared<Options>();
  auto& limits = options->limits;
  add_container_id(app, options->id);
  app.add_option("-r,--resources", options->file,
                 "file with linux.resources as JSON, or - for standard input; other options are "
                 "not looked at then");
  add_limit(app, "--blkio-weight", limits.block_io.weight, "weight of block I/O, 10 to 1000");
  add_limit(app, "--cpu-period", limits.cpu_period, "period of the CPU limit, microseconds");
  add_limit(app, "--cpu-quota", limits.cpu_quota, "CPU time in each period, microseconds");
  add_limit(app, "--cpu-burst", limits.cpu_burst, "CPU time saved up at most, microseconds");
  add_limit(app, "--cpu-share", limits.cpu_shares, "weight of CPU time");
  add_limit(app, "--cpu-rt-period", limits.cpu_realtime_period, "real-time period, microseconds");
  add_limit(app, "--cpu-rt-runtime", limits.cpu_realtime_runtime, "real-time limit, microseconds");
  app.add_option("--cpuset-cpus", limits.cpus, "CPUs to use");
  app.add_option("--cpuset-mems", limits.mems, "memory nodes to use");
  app.add_option("--memory", options->memory, "most memory (bytes, or 512m)");
  app.add_option("--memory-reservation", options->memory_reservation, "memory that is kept free");
  app.add_option("--memory-swap", options->memory_swap, "memory and swap together; -1: no limit");
  add_limit(app, "--pids-limit", limits.pids_limit, "most processes");
  return [options](OciGlobals& globals) { return update(globals, *options); };
}

}  // namespace strata::cli
