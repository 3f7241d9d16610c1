#include <unistd.h>

#include <cstdio>
#include <memory>
#include <string>

#include "probes/cli/commands.h"
#include "probes/startup.h"
#include "probes/support.h"
#include "unionfs/base/json.h"
#include "unionfs/base/terminal.h"

namespace strata::probes::cli {
namespace {

struct Options {
  bool json = false;
};

std::string as_json(const std::vector<Feature>& features, const Result<StartupProbe>& startup) {
  OrderedJson list = OrderedJson::array();
  for (const auto& feature : features) {
    list.push_back({{"name", feature.name},
                    {"purpose", feature.purpose},
                    {"needed", feature.needed},
                    {"available", feature.available},
                    {"reason", feature.reason}});
  }
  const OrderedJson document = {{"features", list},
                                {"probes",
                                 {{"startup",
                                   {{"available", startup.has_value()},
                                    {"reason", startup ? std::string() : startup.error().what}}}}}};
  return document.dump(2) + "\n";
}

void print_line(bool available, std::string_view name, std::string_view text) {
  std::string label(name);
  label.resize(20, ' ');
  const std::string mark = available ? paint(STDOUT_FILENO, Colour::kGreen, "yes")
                                     : paint(STDOUT_FILENO, Colour::kRed, " no");
  std::printf(
      "  %s  %s  %s\n", mark.c_str(), label.c_str(),
      available ? paint(STDOUT_FILENO, Colour::kDim, text).c_str() : std::string(text).c_str());
}

Result<int> check(const Options& options) {
  const auto features = check_support();
  const auto startup = StartupProbe::open();
  if (options.json) {
    std::fputs(as_json(features, startup).c_str(), stdout);
    return startup ? 0 : kFailure;
  }
  std::printf("What this kernel allows here\n");
  for (const auto& feature : features)
    print_line(feature.available, feature.name,
               feature.available ? feature.purpose : std::string_view(feature.reason));
  std::printf("\nProbes\n");
  print_line(startup.has_value(), "startup",
             startup ? "can run" : std::string_view(startup.error().what));
  return startup ? 0 : kFailure;
}

}  // namespace

Action add_check(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  app.add_flag("--json", options->json, "print JSON");
  app.footer("Exit status 0 if all probes can run here, 1 if not.");
  return [options] { return check(*options); };
}

}  // namespace strata::probes::cli
