// strata-oci events [--stats] [--interval DURATION] CONTAINER-ID

#include <poll.h>

#include <cstdio>

#include "runtime/bundle/container.h"
#include "runtime/bundle/stats.h"
#include "runtime/cli/oci/oci_command.h"

namespace strata::cli {
namespace {

struct Options {
  std::string id;
  bool once = false;
  std::chrono::milliseconds interval{5000};
};

// As Go writes durations, of one unit: "5s", "500ms", "1m".
Result<std::chrono::milliseconds> parse_interval(const std::string& text) {
  size_t digits = 0;
  while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') ++digits;
  constexpr size_t kMostDigits = 6;
  const std::string unit = text.substr(digits);
  const int64_t factor = unit == "ms" ? 1 : unit == "s" ? 1'000 : unit == "m" ? 60'000 : 0;
  const int64_t number = digits == 0 || digits > kMostDigits ? 0 : std::stoll(text);
  if (factor == 0 || number == 0)
    return fail(EINVAL, "events: --interval '" + text + "': give a duration such as 5s");
  return std::chrono::milliseconds(number * factor);
}

Result<int> events(OciGlobals& globals, const Options& options) {
  STRATA_TRY(const auto container, bundle::Container::load(globals.root, options.id));
  STRATA_TRY(const UniqueFd init, container.open_init());
  const auto cgroup = container.cgroup();
  bool told = false;
  for (;;) {
    print(bundle::stats_event(options.id, cgroup) + "\n");
    if (options.once) return 0;
    if (!told && cgroup.stats().oom_killed) {
      print(bundle::oom_event(options.id) + "\n");
      told = true;
    }
    if (std::fflush(stdout) != 0) return fail_errno("write to standard output");
    pollfd ended{init.get(), POLLIN, 0};
    if (::poll(&ended, 1, static_cast<int>(options.interval.count())) > 0) return 0;
  }
}

}  // namespace

OciAction add_oci_events(CLI::App& app) {
  auto options = std::make_shared<Options>();
  auto interval = std::make_shared<std::string>("5s");
  add_container_id(app, options->id);
  app.add_flag("--stats", options->once, "print once what the container uses");
  app.add_option("--interval", *interval, "how often (5s)");
  return [options, interval](OciGlobals& globals) -> Result<int> {
    STRATA_TRY(options->interval, parse_interval(*interval));
    return events(globals, *options);
  };
}

}  // namespace strata::cli
