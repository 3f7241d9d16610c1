#include "bench/result.h"

#include <limits>

#include <gmock/gmock.h>

#include "tests/bench/python.h"
#include "tests/bench/sample_document.h"
#include "tests/support/environment.h"
#include "tests/support/matchers.h"
#include "tests/support/temp_dir.h"
#include "unionfs/base/file.h"

namespace strata::bench {
namespace {

using strata::testing::FailsWith;
using strata::testing::IsOk;
using ::testing::HasSubstr;
using testing::sample_document;

constexpr const char* kSchema = "results/schema/strata-result-1.schema.json";

// Prints every fault of the document on standard input; the schema is the first argument.
constexpr const char* kValidate = R"(
import json, sys, jsonschema
schema = json.load(open(sys.argv[1]))
jsonschema.Draft7Validator.check_schema(schema)
for e in jsonschema.Draft7Validator(schema).iter_errors(json.load(sys.stdin)):
    print(list(e.absolute_path), e.message[:200])
)";

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

TEST(Result, SurvivesTheTripThroughJson) {
  const Document document = sample_document();
  STRATA_ASSERT_OK(const Document read, from_json(to_json(document), "test"));
  EXPECT_EQ(read, document);
  EXPECT_EQ(to_json(read), to_json(document));
}

TEST(Result, AnEmptyDocumentSurvives) {
  STRATA_ASSERT_OK(const Document read, from_json(to_json(Document()), "test"));
  EXPECT_EQ(read, Document());
}

TEST(Result, WritesASampleALine) {
  const std::string text = to_json(sample_document());
  EXPECT_THAT(text, HasSubstr("\n    {\"target\":\"process\",\"round\":0,\"order\":0,"
                              "\"warmup\":true,\"started_ns\":0,"));
  EXPECT_THAT(text, Not(HasSubstr("e+")));  // whole numbers are written out
}

TEST(Result, FollowsItsSchema) {
  STRATA_NEEDS(testing::lacks_python("jsonschema"));
  const auto schema = (strata::testing::source_dir() / kSchema).string();
  EXPECT_EQ(testing::python(kValidate, to_json(sample_document()), {schema}), "");
  EXPECT_EQ(testing::python(kValidate, to_json(Document()), {schema}), "");
}

// A schema that everything passes proves nothing.
TEST(Result, TheSchemaRefusesWhatIsWrong) {
  STRATA_NEEDS(testing::lacks_python("jsonschema"));
  const auto schema = (strata::testing::source_dir() / kSchema).string();
  const std::string good = to_json(sample_document());
  for (const auto& [from, to] : {std::pair{"\"schema_version\": 1", "\"schema_version\": 2"},
                                 {"\"round\":0", "\"round\":-1"},
                                 {"\"exit_ns\":", "\"exit\":"},
                                 {"\"ok\":true", "\"ok\":1"},
                                 {"\"seed\": 1", "\"seed\": \"1\""},
                                 {"\"availability\": \"skipped\",", "\"availability\": \"lost\","},
                                 {"\"reason\": \"/dev/kvm: Permission denied\"", "\"why\": \"\""}})
    EXPECT_NE(testing::python(kValidate, replaced(good, from, to), {schema}), "") << to;
}

TEST(Result, EveryFieldOfTheSchemaIsExplained) {
  STRATA_NEEDS_PROGRAM("python3");
  const auto source = strata::testing::source_dir();
  EXPECT_EQ(
      testing::python(R"(
import json, sys
readme = open(sys.argv[2]).read()
def names(node):
    if isinstance(node, dict):
        yield from node.get("properties", {}) if isinstance(node.get("properties"), dict) else ()
        for child in node.values(): yield from names(child)
print(*sorted({n for n in names(json.load(open(sys.argv[1]))) if f"`{n}`" not in readme}), end="")
)",
                      {}, {(source / kSchema).string(), (source / "results/README.md").string()}),
      "");
}

TEST(Result, RefusesOtherVersions) {
  const std::string text =
      replaced(to_json(sample_document()), "\"schema_version\": 1", "\"schema_version\": 2");
  EXPECT_THAT(from_json(text, "new.json"), FailsWith(EPROTONOSUPPORT, "new.json: has schema"));
  EXPECT_THAT(from_json("{}", "x.json"), FailsWith(EINVAL, "x.json: not a result document"));
  EXPECT_THAT(from_json("[]", "x.json"), FailsWith(EINVAL, "x.json"));
  EXPECT_THAT(from_json("{", "x.json"), FailsWith(EINVAL, "x.json"));
}

TEST(Result, NamesThePlaceOfAFault) {
  const std::string good = to_json(sample_document());
  const auto fault = [&](const std::string& from, const std::string& to) {
    const auto read = from_json(replaced(good, from, to), "f");
    return read ? std::string("none") : read.error().what;
  };
  EXPECT_EQ(fault("\"round\":0", "\"round\":0.5"),
            "f: samples[0].round: expected a whole number in range");
  EXPECT_EQ(fault("\"round\":0", "\"round\":5000000000"),
            "f: samples[0].round: expected a whole number in range");
  EXPECT_EQ(fault("\"round\":0", "\"round\":-1"), "f: samples[0].round: is negative");
  EXPECT_EQ(fault("\"exit_ns\":", "\"exit_ns\":-"), "f: samples[0].metrics.exit_ns: is negative");
  EXPECT_EQ(fault("\"exit_ns\":", "\"exit_ns\":\"foo\",\"x_ns\":"),
            "f: samples[0].metrics.exit_ns: expected a number");
  EXPECT_THAT(fault("\"exit_ns\":", "\"exit\":"),
              HasSubstr("f: samples[0].metrics.exit: the name does not end in a unit"));
  EXPECT_EQ(fault("\"ok\":true", "\"ok\":1"), "f: samples[0].ok: expected true or false");
  EXPECT_EQ(fault("\"ok\":true,", ""), "f: samples[0].ok: missing");
  EXPECT_EQ(fault("\"release\": \"6", "\"release\": [], \"x\": \"6"),
            "f: context.kernel.release: expected a string");
  EXPECT_EQ(fault("\"name\": \"floor\"", "\"name\": \"process\""),
            "f: targets[1].name: 'process' is there twice");
  EXPECT_EQ(fault("\"name\": \"floor\"", "\"name\": \"flor\""),
            "f: samples[1].target: no target is named 'floor'");
  EXPECT_EQ(fault("\"availability\": \"skipped\"", "\"availability\": \"gone\""),
            "f: targets[10].availability: expected ran, skipped or failed");
}

TEST(Result, PassesOverFieldsThatItDoesNotKnow) {
  const std::string text =
      replaced(to_json(sample_document()), "\"run\": {", "\"future\": [1], \"run\": {");
  STRATA_ASSERT_OK(const Document read, from_json(text, "test"));
  EXPECT_EQ(read, sample_document());
}

TEST(Result, KeepsWhatIsNotUtf8Readable) {
  Document document = sample_document();
  document.targets[0].description = "caf\xe9";
  document.samples[0].metrics["odd_ns"] = std::numeric_limits<double>::quiet_NaN();
  STRATA_ASSERT_OK(const Document read, from_json(to_json(document), "test"));
  EXPECT_EQ(read.targets[0].description, "caf\xef\xbf\xbd");  // U+FFFD
  EXPECT_FALSE(read.samples[0].metrics.contains("odd_ns"));
}

TEST(Result, FilesAreReplacedWhole) {
  const strata::testing::TempDir dir;
  const auto path = dir / "startup/a.json";
  ASSERT_THAT(write_document(sample_document(1), path), IsOk());
  ASSERT_THAT(write_document(sample_document(2), path), IsOk());
  STRATA_ASSERT_OK(const Document read, read_document(path));
  EXPECT_EQ(read, sample_document(2));
  EXPECT_THAT(read_document(dir / "none.json"), FailsWith(ENOENT, "none.json"));
}

TEST(Result, FiguresWantSamples) {
  const strata::testing::TempDir dir;
  const auto path = dir / "empty.json";
  ASSERT_THAT(write_document(Document(), path), IsOk());
  EXPECT_THAT(read_document(path), IsOk());
  EXPECT_THAT(read_measurements(path), FailsWith(EINVAL, "empty.json: samples: there are none"));
}

TEST(Result, PathsStayInTheirFolder) {
  strata::bench::Run run{
      .suite = "startup", .label = "my laptop", .start_utc = "2026-01-31T12:00:00Z"};
  EXPECT_EQ(document_path(run), "startup/20260131T120000Z-my-laptop.json");
  run.label = "";
  EXPECT_EQ(document_path(run), "startup/20260131T120000Z.json");
  run.label = "../../etc/x";
  EXPECT_EQ(document_path(run), "startup/20260131T120000Z-etc-x.json");
  run.suite = "../..";
  EXPECT_EQ(document_path(run), "run/20260131T120000Z-etc-x.json");
  run.suite = "/";
  EXPECT_EQ(document_path(run), "run/20260131T120000Z-etc-x.json");
}

}  // namespace
}  // namespace strata::bench
