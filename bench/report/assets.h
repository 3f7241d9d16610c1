// What a report's page is made of, embedded in the program at build time: our template, style and
// scripts (page.html, page.css, *.js of this folder) and the chart library (charts.cmake). Private
// to bench/report.
//
// Thread rule: constants.
#pragma once

#include <string_view>

namespace strata::bench {

[[nodiscard]] std::string_view page_template();
[[nodiscard]] std::string_view page_style();
[[nodiscard]] std::string_view page_script();

// The chart library's licences. Empty if the program was built without it.
[[nodiscard]] std::string_view chart_licences();
[[nodiscard]] std::string_view chart_library();

// Why the program was built without the chart library; empty if it wasn't.
[[nodiscard]] std::string_view charts_missing();

}  // namespace strata::bench
