// Checks documents against the JSON Schema files of results/schema/, by Debian's
// python3-jsonschema.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace strata::testing {

// nullopt when the checker is there, else the reason.
[[nodiscard]] std::optional<std::string> lacks_schema_checker();

// What is wrong with `document`, one line a fault; empty when it satisfies results/schema/<schema>.
[[nodiscard]] std::string schema_faults(std::string_view schema, std::string document);

}  // namespace strata::testing

#define STRATA_NEEDS_SCHEMA_CHECKER() STRATA_NEEDS(::strata::testing::lacks_schema_checker())
