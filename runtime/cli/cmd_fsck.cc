// strata fsck [--repair] [--json]

#include <algorithm>
#include <cstdio>

#include "runtime/cli/image_commands.h"
#include "runtime/container/prune.h"
#include "runtime/image/interrupt.h"
#include "runtime/image/maintain.h"
#include "unionfs/base/json.h"

namespace strata::cli {
namespace {

struct Options {
  bool repair = false;
  bool json = false;
};

void print_json(const std::vector<image::Finding>& findings) {
  OrderedJson array = OrderedJson::array();
  for (const auto& finding : findings)
    array.push_back({{"kind", finding.kind},
                     {"object", finding.object},
                     {"detail", finding.detail},
                     {"repaired", finding.repaired}});
  const auto dumped = array.dump(2, ' ', false, OrderedJson::error_handler_t::replace);
  std::printf("%s\n", dumped.c_str());
}

void print_text(const std::vector<image::Finding>& findings) {
  for (const auto& finding : findings)
    std::printf("%s%s%s: %s%s\n", finding.kind.c_str(), finding.object.empty() ? "" : " ",
                finding.object.c_str(), finding.detail.c_str(),
                finding.repaired ? " (repaired)" : "");
  const auto left = std::count_if(findings.begin(), findings.end(),
                                  [](const auto& finding) { return !finding.repaired; });
  if (findings.empty()) {
    std::printf("clean\n");
  } else {
    std::printf("%zu found, %zu repaired\n", findings.size(),
                findings.size() - static_cast<size_t>(left));
  }
}

// What is wrong with containers. A repair clears away what killed programs left of them.
Result<std::vector<image::Finding>> check_containers(const image::Store& store, bool repair) {
  STRATA_TRY(const auto before, container::check(store));
  std::vector<std::string> after = before;
  if (repair && !before.empty()) {
    STRATA_CHECK(container::prune(store, false));
    STRATA_TRY(after, container::check(store));
  }
  std::vector<image::Finding> findings;
  for (const auto& problem : before) {
    const bool is_left = std::find(after.begin(), after.end(), problem) != after.end();
    findings.push_back({"container", "", problem, !is_left});
  }
  return findings;
}

Result<std::vector<image::Finding>> check_all(const image::Store& store, bool repair) {
  Progress progress("fsck:");
  STRATA_TRY(auto findings, check_containers(store, repair));
  STRATA_TRY(const auto of_images, image::check_store(store, repair, report_to(progress)));
  findings.insert(findings.end(), of_images.begin(), of_images.end());
  return findings;
}

Result<int> check(const Globals& globals, const Options& options) {
  STRATA_TRY(const image::Store store, image::Store::open_existing(globals.root));
  const image::InterruptGuard guard;
  auto findings = check_all(store, options.repair);
  if (!findings) return fail_in("fsck", std::move(findings).error());
  if (options.json) {
    print_json(*findings);
  } else {
    print_text(*findings);
  }
  const bool clean = std::all_of(findings->begin(), findings->end(),
                                 [](const auto& finding) { return finding.repaired; });
  return clean ? 0 : kFailure;
}

}  // namespace

Action add_fsck(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_flag("--repair", options->repair,
               "unpack missing layers again and remove what nothing reaches");
  app.add_flag("--json", options->json, "print JSON");
  app.footer("Exit status: 0 if the store is clean (or is now, by --repair), 1 if not.");
  return [options](const Globals& globals) { return check(globals, *options); };
}

}  // namespace strata::cli
