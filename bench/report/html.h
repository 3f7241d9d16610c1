// Text into a page without its becoming markup or code. Private to bench/report.
//
// Thread rule: any thread.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "unionfs/base/result.h"

namespace strata::bench {

// Text as element content or as a quoted attribute's value.
[[nodiscard]] std::string escape_html(std::string_view text);

// JSON as the content of a <script type="application/json">: the only way out of such an element
// starts with "<", which JSON can spell otherwise (HTML Standard, 4.12.1.3).
[[nodiscard]] std::string escape_script_json(std::string_view json);

// "'sha256-…'" of a script's text, for a Content-Security-Policy (CSP level 3, 2.3.1).
[[nodiscard]] Result<std::string> script_source(std::string_view script);

// `text` with each "{{name}}" replaced by its value. Values are not looked into again. EINVAL if a
// name has no value.
[[nodiscard]] Result<std::string> fill_template(
    std::string_view text, const std::map<std::string, std::string, std::less<>>& values);

}  // namespace strata::bench
