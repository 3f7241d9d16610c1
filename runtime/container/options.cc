// The values of options, and how they merge with an image's configuration.

#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <filesystem>

#include "runtime/container/create.h"
#include "runtime/container/environment.h"
#include "runtime/container/names.h"
#include "runtime/container/signals.h"
#include "runtime/container/time.h"

namespace strata::container {
namespace {

constexpr std::string_view kDefaultPath =
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
constexpr size_t kMaxHostname = 64;  // sethostname(2): __NEW_UTS_LEN

std::vector<std::string> merge_command(const image::Config& config, const CreateOptions& options) {
  std::vector<std::string> args;
  if (!options.entrypoint) {
    args = config.entrypoint;
  } else if (!options.entrypoint->empty()) {
    args = {*options.entrypoint};
  }
  const bool use_cmd = options.command.empty() && !options.entrypoint;
  const auto& rest = use_cmd ? config.cmd : options.command;
  args.insert(args.end(), rest.begin(), rest.end());
  return args;
}

Result<std::vector<std::string>> merge_env(const image::Config& config,
                                           const CreateOptions& options,
                                           const std::string& hostname) {
  std::vector<std::string> env{std::string(kDefaultPath), "HOSTNAME=" + hostname};
  if (options.terminal) env.emplace_back("TERM=xterm");
  for (const auto& variable : config.env)
    if (variable.find('=') != std::string::npos) set_variable(env, variable);
  STRATA_CHECK(set_variables(env, options.env));
  return env;
}

Result<std::string> choose_hostname(const CreateOptions& options, const std::string& id) {
  if (options.hostname) {
    const auto& name = *options.hostname;
    const bool good = !name.empty() && name.size() <= kMaxHostname &&
                      name.find_first_of("/ \t\n") == std::string::npos;
    if (!good) return fail(EINVAL, "'" + name + "' can't be a host name");
    return name;
  }
  if (options.network == Network::kNone) return std::string(short_id(id));
  std::array<char, kMaxHostname + 1> name{};
  if (::gethostname(name.data(), name.size() - 1) < 0) return fail_errno("get our host name");
  return std::string(name.data());
}

// Where the program starts: the user's choice counts from the image's.
Result<std::string> choose_directory(const image::Config& config, const CreateOptions& options) {
  const std::string base = config.working_dir.empty() ? "/" : config.working_dir;
  if (!options.working_dir) return std::filesystem::path("/").append(base).lexically_normal();
  if (!options.working_dir->starts_with('/'))
    return fail(EINVAL, "working directory '" + *options.working_dir + "': give an absolute path");
  return std::filesystem::path(*options.working_dir).lexically_normal();
}

Result<double> parse_number(std::string_view text, std::string_view what) {
  double value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size() ||
      !std::isfinite(value) || value <= 0)
    return fail(EINVAL, "'" + std::string(text) + "' is not " + std::string(what));
  return value;
}

Result<void> check_destinations(const std::vector<Volume>& volumes) {
  for (auto volume = volumes.begin(); volume != volumes.end(); ++volume) {
    const bool twice = std::any_of(volumes.begin(), volume, [&](const Volume& other) {
      return other.destination == volume->destination;
    });
    if (twice) return fail(EINVAL, "two volumes have the same destination, " + volume->destination);
  }
  return {};
}

}  // namespace

Result<Volume> parse_volume(std::string_view text, const std::string& directory) {
  const auto bad = [&](const std::string& why) {
    return fail(EINVAL, "volume '" + std::string(text) + "': " + why);
  };
  const auto first = text.find(':');
  if (first == std::string_view::npos) return bad("expected SRC:DST or SRC:DST:ro");
  const auto second = text.find(':', first + 1);
  Volume volume;
  const std::string source(text.substr(0, first));
  const std::string destination(
      text.substr(first + 1, second == std::string_view::npos ? second : second - first - 1));
  if (second != std::string_view::npos) {
    const auto mode = text.substr(second + 1);
    if (mode != "ro" && mode != "rw")
      return bad("unknown mode '" + std::string(mode) + "': there are ro and rw");
    volume.read_only = mode == "ro";
  }
  if (source.empty() || (source[0] != '/' && source[0] != '.'))
    return bad("the source must be a path of the host (named volumes are not supported)");
  volume.source = (std::filesystem::path(directory) / source).lexically_normal();
  if (!destination.starts_with('/')) return bad("the destination must be an absolute path");
  volume.destination = std::filesystem::path(destination).lexically_normal();
  if (volume.destination == "/") return bad("the destination must not be /");
  for (auto* path : {&volume.source, &volume.destination})
    if (path->size() > 1 && path->ends_with('/')) path->pop_back();
  return volume;
}

Result<int64_t> parse_memory(std::string_view text) {
  constexpr std::string_view kUnits = "bkmgt";
  constexpr double kUnit = 1024;
  constexpr double kMax = 9e18;
  double factor = 1;
  std::string_view digits = text;
  if (digits.size() > 1 && (digits.ends_with('b') || digits.ends_with('B')))
    digits.remove_suffix(1);  // "512mb" as well as "512m"
  if (!digits.empty()) {
    const char last = static_cast<char>(digits.back() | 0x20);
    if (const auto unit = kUnits.find(last); unit != std::string_view::npos) {
      factor = std::pow(kUnit, static_cast<double>(unit));
      digits.remove_suffix(1);
    }
  }
  STRATA_TRY(const double number, parse_number(digits, "an amount of memory (512m, 2g, …)"));
  const double bytes = number * factor;
  if (bytes < 1 || bytes > kMax)
    return fail(EINVAL, "'" + std::string(text) + "' is not an amount of memory that can be had");
  return static_cast<int64_t>(bytes);
}

Result<void> parse_cpus(std::string_view text, oci::Resources& limits) {
  constexpr uint64_t kPeriod = 100'000;  // microseconds, docker's
  constexpr double kMaxCpus = 1e6;
  constexpr double kMinCpus = 0.01;  // the kernel's least quota is 1 ms
  STRATA_TRY(const double cpus, parse_number(text, "a number of CPUs (1.5)"));
  if (cpus < kMinCpus || cpus > kMaxCpus)
    return fail(EINVAL, "'" + std::string(text) + "' is not a number of CPUs between 0.01 and 1e6");
  limits.cpu_period = kPeriod;
  limits.cpu_quota = std::llround(cpus * static_cast<double>(kPeriod));
  return {};
}

Result<Record> make_record(const image::Image& image, std::string_view image_name,
                           const CreateOptions& options, std::string id) {
  const auto& config = image.config;
  Record record;
  record.args = merge_command(config, options);
  if (record.args.empty() || record.args.front().empty())
    return fail(EINVAL, "image " + std::string(image_name) +
                            " does not say what to run: give a command after its name");
  STRATA_TRY(record.hostname, choose_hostname(options, id));
  STRATA_TRY(record.env, merge_env(config, options, record.hostname));
  STRATA_TRY(record.cwd, choose_directory(config, options));
  record.user = options.user.value_or(config.user);
  record.stop_signal = options.stop_signal.value_or(config.stop_signal);
  // An image's nonsense is found out here, not when the container is to be stopped.
  if (!record.stop_signal.empty()) STRATA_CHECK(parse_signal(record.stop_signal));
  if (!options.name.empty()) STRATA_CHECK(check_name(options.name));
  STRATA_CHECK(check_destinations(options.volumes));
  record.id = std::move(id);
  record.name = options.name;
  record.image_id = image.id;
  record.image_name = image_name;
  record.created = now_text();
  for (auto it = image.layers.rbegin(); it != image.layers.rend(); ++it)
    if (std::find(record.layers.begin(), record.layers.end(), it->diff_id) == record.layers.end())
      record.layers.push_back(it->diff_id);
  record.network = options.network;
  record.volumes = options.volumes;
  record.limits = options.limits;
  record.terminal = options.terminal;
  record.open_stdin = options.open_stdin;
  record.auto_remove = options.auto_remove;
  record.read_only = options.read_only;
  return record;
}

}  // namespace strata::container
