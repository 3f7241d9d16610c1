#include "bench/report/report.h"

#include "bench/report/assets.h"
#include "bench/report/html.h"
#include "bench/report/page_data.h"

namespace strata::bench {
namespace {

std::string title_of(std::span<const Document> documents, const ReportOptions& options) {
  if (!options.title.empty()) return options.title;
  std::string subject = documents.front().run.suite + " benchmark";
  if (subject.front() >= 'a' && subject.front() <= 'z') subject.front() -= 'a' - 'A';
  if (documents.size() > 1) return subject + ": " + std::to_string(documents.size()) + " runs";
  return subject + ", " + run_title(documents.front().run);
}

}  // namespace

Result<std::string> render_report(std::span<const Document> documents,
                                  const ReportOptions& options) {
  STRATA_TRY(const std::string library_source, script_source(chart_library()));
  STRATA_TRY(const std::string own_source, script_source(page_script()));
  return fill_template(page_template(),
                       {{"title", escape_html(title_of(documents, options))},
                        {"script_sources", library_source + " " + own_source},
                        {"style", std::string(page_style())},
                        {"data", escape_script_json(page_data(documents, options))},
                        {"licences", std::string(chart_licences())},
                        {"library", std::string(chart_library())},
                        {"script", std::string(page_script())}});
}

}  // namespace strata::bench
