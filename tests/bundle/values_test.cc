// Texts and records: no privileges needed.

#include "runtime/bundle/engine_words.h"
#include "runtime/bundle/log.h"
#include "runtime/bundle/record.h"
#include "runtime/bundle/state_directory.h"
#include "tests/support/matchers.h"
#include "unionfs/base/json.h"

namespace strata::bundle {
namespace {

using testing::FailsWith;
using testing::IsOk;

TEST(StateDirectoryTest, TakesRuncsIdentifiers) {
  for (const auto* id : {"a", "web_1", "a.b-c+d", "0123456789abcdef"})
    EXPECT_THAT(check_id(id), IsOk()) << id;
  for (const auto* id : {"", ".", "..", ".x", "a/b", "a b", "ä"})
    EXPECT_THAT(check_id(id), FailsWith(EINVAL)) << id;
}

TEST(RecordTest, IsReadAsWritten) {
  const Record record{.id = "c1",
                      .bundle = "/b",
                      .rootfs = "/b/rootfs",
                      .created = "2024-05-17T09:30:12.123456789Z",
                      .owner = 7,
                      .annotations = {{"key", "value"}},
                      .cgroup = "/x/y",
                      .has_hooks = true,
                      .init = {.pid = 42, .start_ticks = 4711, .boot_id = "boot"}};
  STRATA_ASSERT_OK(const auto read, record_from_json(to_json(record), "state.json"));
  EXPECT_EQ(to_json(read), to_json(record));
  EXPECT_EQ(read.init, record.init);
  EXPECT_THAT(record_from_json("[]", "state.json"), FailsWith(EINVAL));
  EXPECT_THAT(record_from_json(R"({"id": 1})", "state.json"), FailsWith(EINVAL));
}

TEST(LogTest, WritesLinesAsLogrusDoes) {
  EXPECT_EQ(log_line(LogFormat::kText, LogLevel::kError, "a \"b\"", "T"),
            "time=\"T\" level=error msg=\"a \\\"b\\\"\"\n");
  const auto json = Json::parse(log_line(LogFormat::kJson, LogLevel::kWarning, "a\nb", "T"));
  EXPECT_EQ(json, Json({{"level", "warning"}, {"msg", "a\nb"}, {"time", "T"}}));
}

TEST(EngineWordsTest, AreThoseOfRunc) {
  const auto words = [](const std::string& program, int code) {
    return words_of_exec_error(program, posix_error("execute " + program, code)).what;
  };
  EXPECT_EQ(words("x", ENOENT), "exec: \"x\": executable file not found in $PATH");
  EXPECT_EQ(words("/x", ENOENT), "exec: \"/x\": stat /x: no such file or directory");
  EXPECT_EQ(words("x", EACCES), "exec: \"x\": permission denied");
  EXPECT_EQ(words("x", ENOEXEC), "exec x: Exec format error");
  EXPECT_EQ(words_of_exec_error("x", {ENOENT, "x has no interpreter"}).what,
            "exec: \"x\": x has no interpreter");
}

}  // namespace
}  // namespace strata::bundle
