// strata ps [-a] [-q] [--json]

#include <cstdio>
#include <ctime>

#include "runtime/cli/container_commands.h"
#include "runtime/cli/table.h"
#include "runtime/container/names.h"
#include "runtime/container/time.h"
#include "unionfs/base/json.h"

namespace strata::cli {
namespace {

using container::Container;
using container::State;
using container::Status;

struct Options {
  bool all = false;
  bool quiet = false;
  bool json = false;
  bool full = false;
};

std::string joined(const std::vector<std::string>& args) {
  std::string text;
  for (const auto& arg : args) text += (text.empty() ? "" : " ") + arg;
  return text;
}

// "3 minutes" since a recorded time.
std::string since(const std::string& when) {
  const auto then = container::parse_time(when);
  return then ? container::human_duration(std::time(nullptr) - *then) : "some time";
}

std::string status_text(const State& state) {
  switch (state.status) {
    case Status::kCreated:
      return "Created";
    case Status::kRunning:
      return "Up " + since(state.started);
    case Status::kExited:
      return "Exited (" + std::to_string(state.exit_code) + ") " + since(state.finished) + " ago";
    case Status::kDead:
      return "Dead (its monitor was killed)";
  }
  return "";
}

OrderedJson to_json(const Container& container, const State& state) {
  const auto& record = container.record();
  return {{"id", record.id},
          {"name", record.name},
          {"image", record.image_name},
          {"command", record.args},
          {"created", record.created},
          {"status", container::status_name(state.status)},
          {"pid", state.can_exec() ? state.process.pid : 0},
          {"exit_code", state.exit_code},
          {"started", state.started},
          {"finished", state.finished}};
}

void print_table(const container::Listing& listing, bool full) {
  constexpr size_t kCommandWidth = 30;
  std::vector<std::vector<std::string>> rows{
      {"CONTAINER ID", "NAME", "IMAGE", "COMMAND", "STATUS"}};
  for (const auto& [container, state] : listing.containers) {
    const auto& record = container.record();
    const std::string command = printable(joined(record.args));
    rows.push_back({full ? record.id : std::string(container::short_id(record.id)), record.name,
                    record.image_name, full ? command : shorten(command, kCommandWidth),
                    status_text(state)});
  }
  std::fputs(format_table(rows).c_str(), stdout);
}

void print_json(const container::Listing& listing) {
  OrderedJson array = OrderedJson::array();
  for (const auto& [container, state] : listing.containers)
    array.push_back(to_json(container, state));
  const auto text = array.dump(2, ' ', false, OrderedJson::error_handler_t::replace);
  std::printf("%s\n", text.c_str());
}

Result<int> ps(const Globals& globals, const Options& options) {
  STRATA_TRY(const image::Store store, image::Store::open_existing(globals.root));
  STRATA_TRY(auto listing, container::list(store));
  if (!options.all)
    std::erase_if(listing.containers, [](const auto& c) { return !c.second.can_exec(); });
  if (options.json) {
    print_json(listing);
  } else if (options.quiet) {
    for (const auto& [container, state] : listing.containers)
      std::printf("%s\n", container.id().c_str());
  } else {
    print_table(listing, options.full);
  }
  for (const auto& problem : listing.problems) report(problem);
  return listing.problems.empty() ? 0 : kFailure;
}

}  // namespace

Action add_ps(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_flag("-a,--all", options->all, "not only those that run");
  app.add_flag("-q,--quiet", options->quiet, "print IDs only");
  app.add_flag("--no-trunc", options->full, "print IDs and commands in full");
  app.add_flag("--json", options->json, "print JSON");
  return [options](const Globals& globals) { return ps(globals, *options); };
}

}  // namespace strata::cli
