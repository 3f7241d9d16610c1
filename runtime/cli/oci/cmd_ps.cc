// strata-oci ps [--format table|json] CONTAINER-ID [PS-OPTION…]

#include <algorithm>
#include <charconv>
#include <sstream>

#include "runtime/bundle/container.h"
#include "runtime/cli/oci/oci_command.h"
#include "unionfs/base/subprocess.h"

namespace strata::cli {
namespace {

struct Options {
  std::string id;
  std::string format = "table";
  std::vector<std::string> ps_options;
};

std::vector<std::string> words_of(const std::string& line) {
  std::istringstream stream(line);
  return {std::istream_iterator<std::string>(stream), {}};
}

// The lines of ps(1) that are about one of the processes, and their heading.
Result<std::string> select(const std::string& text, const std::vector<pid_t>& pids) {
  std::istringstream lines(text);
  std::string line;
  std::getline(lines, line);
  const auto heading = words_of(line);
  const auto column = std::find(heading.begin(), heading.end(), "PID") - heading.begin();
  if (column == static_cast<ptrdiff_t>(heading.size()))
    return fail(EINVAL, "couldn't find PID field in ps output");
  std::string selected = line + "\n";
  while (std::getline(lines, line)) {
    const auto words = words_of(line);
    if (static_cast<ptrdiff_t>(words.size()) <= column) continue;
    const auto& word = words[static_cast<size_t>(column)];
    pid_t pid = 0;
    std::from_chars(word.data(), word.data() + word.size(), pid);
    if (std::find(pids.begin(), pids.end(), pid) != pids.end()) selected += line + "\n";
  }
  return selected;
}

Result<int> ps(OciGlobals& globals, const Options& options) {
  STRATA_TRY(const auto container, bundle::Container::load(globals.root, options.id));
  const auto pids = container.cgroup().processes();
  if (options.format == "json") {
    std::string text;
    for (const pid_t pid : pids) text += (text.empty() ? "" : ",") + std::to_string(pid);
    print("[" + text + "]\n");
    return 0;
  }
  std::vector<std::string> argv{"ps"};
  if (options.ps_options.empty()) argv.emplace_back("-ef");
  argv.insert(argv.end(), options.ps_options.begin(), options.ps_options.end());
  STRATA_TRY(const auto done, run_checked({.argv = std::move(argv)}));
  STRATA_TRY(const auto text, select(done.out, pids));
  print(text);
  return 0;
}

}  // namespace

OciAction add_oci_ps(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.prefix_command();  // what follows the ID is for ps
  app.add_option("-f,--format", options->format, "table or json")
      ->check(CLI::IsMember({"table", "json"}));
  return [options, &app](OciGlobals& globals) -> Result<int> {
    auto operands = app.remaining();
    if (operands.empty()) return fail(EINVAL, "ps: give a container-id (see --help)");
    options->id = operands.front();
    options->ps_options.assign(operands.begin() + 1, operands.end());
    return ps(globals, *options);
  };
}

}  // namespace strata::cli
