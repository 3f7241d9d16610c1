// Result documents as one HTML page that needs nothing else: data, style and the chart library are
// in the page, so it opens from a disk, offline, for as long as there are browsers.
//
// Thread rule: any thread.
#pragma once

#include <span>
#include <string>

#include "bench/result.h"

namespace strata::bench {

struct ReportOptions {
  std::string title;      // empty: made from suite and label
  std::string reference;  // target that ratios refer to; empty: each document's own
};

// REQUIRES: at least one document. Several are shown side by side. Whatever the names in a document
// hold, nothing of it can execute in the page.
[[nodiscard]] Result<std::string> render_report(std::span<const Document> documents,
                                                const ReportOptions& options);

}  // namespace strata::bench
