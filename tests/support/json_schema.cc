#include "tests/support/json_schema.h"

#include <utility>

#include "tests/support/environment.h"

namespace strata::testing {
namespace {

// Debian's interpreter, which Debian's package belongs to, whatever else PATH offers first.
constexpr const char* kPython = "/usr/bin/python3";

constexpr const char* kCheck = R"(
import json, sys
import jsonschema
schema = json.load(open(sys.argv[1]))
validator = jsonschema.validators.validator_for(schema)
validator.check_schema(schema)
for error in validator(schema).iter_errors(json.load(sys.stdin)):
    print("/".join(map(str, error.absolute_path)) + ": " + error.message)
)";

}  // namespace

std::optional<std::string> lacks_schema_checker() {
  const auto done = run_command({.argv = {kPython, "-c", "import jsonschema"}});
  if (done && done->status == 0) return std::nullopt;
  return "this test needs Debian's python3-jsonschema";
}

std::string schema_faults(std::string_view schema, std::string document) {
  const auto file = source_dir() / "results/schema" / std::string(schema);
  const Completed done = run({kPython, "-c", kCheck, file.string()}, std::move(document));
  return done.status == 0 ? done.out : done.out + done.err;
}

}  // namespace strata::testing
