// strata logs [-f] [--tail N] [-t] CONTAINER

#include <fcntl.h>

#include <optional>

#include "runtime/cli/container_commands.h"
#include "runtime/container/attach.h"
#include "unionfs/base/file.h"

namespace strata::cli {
namespace {

struct Options {
  std::string name;
  bool follow = false;
  std::string tail = "all";
  container::FollowOptions show;
};

Result<std::optional<size_t>> parse_tail(const std::string& text) {
  if (text == "all") return std::optional<size_t>();
  size_t lines = 0;
  if (!CLI::detail::lexical_cast(text, lines))
    return fail(EINVAL, "--tail takes a number of lines or 'all', not '" + text + "'");
  return std::optional(lines);
}

Result<int> logs(const Globals& globals, const Options& options) {
  STRATA_TRY(const auto tail, parse_tail(options.tail));
  STRATA_TRY(const image::Store store, image::Store::open_existing(globals.root));
  STRATA_TRY(const auto container, container::Container::find(store, options.name));
  // First the connection, then the log: what comes in between is told of.
  std::optional<UniqueFd> channel;
  if (options.follow) {
    STRATA_TRY(channel, container::watch(container));
  }
  auto file = open_file(container.files().log(), O_RDONLY);
  if (!file && file.error().code == ENOENT) return 0;  // it never ran
  if (!file) return std::unexpected(std::move(file).error());
  off_t offset = 0;
  if (tail) {
    STRATA_TRY(offset, container::tail_offset(file->get(), *tail));
  }
  container::LogReader log(*std::move(file), offset);
  STRATA_CHECK(container::show_log(log, std::move(channel), options.show));
  return 0;
}

}  // namespace

Action add_logs(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("CONTAINER", options->name, "container, by name or ID")->required();
  app.add_flag("-f,--follow", options->follow, "go on until the container has ended");
  app.add_option("-n,--tail", options->tail, "only so many lines from the end")
      ->capture_default_str();
  app.add_flag("-t,--timestamps", options->show.timestamps, "put its time in front of each line");
  app.footer(
      "What the command wrote to standard error goes to standard error. The last 64 MiB of the log "
      "are kept, in the JSON form that it has on disk.");
  return [options](const Globals& globals) { return logs(globals, *options); };
}

}  // namespace strata::cli
