// strata bench report FILE… -o OUT.html

#include <cstdio>
#include <memory>

#include "bench/cli/commands.h"
#include "bench/report/report.h"
#include "bench/result.h"
#include "unionfs/base/file.h"

namespace strata::bench {
namespace {

struct Options {
  std::vector<std::string> files;
  std::string output;
  ReportOptions report;
};

Result<int> report(const Options& options) {
  std::vector<Document> documents;
  for (const auto& file : options.files) {
    STRATA_TRY(auto document, read_measurements(file));
    documents.push_back(std::move(document));
  }
  STRATA_TRY(const auto page, render_report(documents, options.report));
  STRATA_CHECK(write_file_atomic(options.output, page, Durability::kAtomic));
  std::printf("%s\n", options.output.c_str());
  return 0;
}

}  // namespace

Action add_report(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  app.add_option("FILE", options->files, "result files, or Google Benchmark JSON")->required();
  app.add_option("-o,--output", options->output, "the page to write")->required();
  app.add_option("--title", options->report.title, "title of the page");
  app.add_option("--reference", options->report.reference, "target that ratios refer to");
  return [options](const Globals& /*globals*/) { return report(*options); };
}

}  // namespace strata::bench
