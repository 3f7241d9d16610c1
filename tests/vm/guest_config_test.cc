#include "runtime/vm/guest_config.h"

#include <cstdlib>

#include <gtest/gtest.h>

#include "runtime/vm/protocol.h"
#include "tests/support/matchers.h"

namespace strata::vm {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using testing::FailsWith;
using ::testing::Not;
using ::testing::StartsWith;

image::Config some_image() {
  image::Config config;
  config.entrypoint = {"/entry", "-x"};
  config.cmd = {"default"};
  config.env = {"A=image", "B=image", "PATH=/image"};
  config.working_dir = "/srv";
  config.user = "www-data";
  return config;
}

TEST(MergeCommand, FollowsDocker) {
  const auto merged = [](const VmRequest& request) {
    return merge_command(some_image(), request).value_or(std::vector<std::string>());
  };
  EXPECT_THAT(merged({}), ElementsAre("/entry", "-x", "default"));
  EXPECT_THAT(merged({.command = {"a", "b c"}}), ElementsAre("/entry", "-x", "a", "b c"));
  EXPECT_THAT(merged({.entrypoint = "/other"}), ElementsAre("/other"));
  EXPECT_THAT(merged({.command = {"a"}, .entrypoint = ""}), ElementsAre("a"));
  STRATA_ASSERT_OK(const auto nothing, merge_command({}, {}));
  EXPECT_THAT(nothing, ElementsAre());
  EXPECT_THAT(merge_command({}, {.command = {""}}), FailsWith(EINVAL));
}

TEST(MergeEnvironment, TheRequestWinsOverTheImageOverTheDefaults) {
  ::setenv("STRATA_TEST_VARIABLE", "ours", 1);
  STRATA_ASSERT_OK(const auto env,
                   merge_environment(some_image(), {.env = {"A=request", "STRATA_TEST_VARIABLE",
                                                            "STRATA_TEST_NONE", "C=a=b"}}));
  EXPECT_THAT(env, ElementsAre("PATH=/image", "HOSTNAME=strata-vm", "A=request", "B=image",
                               "STRATA_TEST_VARIABLE=ours", "C=a=b"));
  STRATA_ASSERT_OK(const auto without, merge_environment(some_image(), {.env = {"B"}}));
  EXPECT_THAT(without, Not(Contains(StartsWith("B="))));
  EXPECT_THAT(merge_environment({}, {.env = {"=x"}}), FailsWith(EINVAL, "no name"));
}

TEST(GuestConfig, SaysItAllInRecords) {
  STRATA_ASSERT_OK(const auto config,
                   make_guest_config(some_image(), {.command = {"line\nbreak"}, .user = "33:33"}));
  std::vector<std::pair<RecordTag, std::string>> records;
  std::string_view rest = config;
  while (const auto record = decode_record(rest))
    if (record->tag != RecordTag::kVariable) records.emplace_back(record->tag, record->value);
  EXPECT_TRUE(rest.empty());
  EXPECT_THAT(
      records,
      ElementsAre(std::pair(RecordTag::kArgument, "/entry"), std::pair(RecordTag::kArgument, "-x"),
                  std::pair(RecordTag::kArgument, "line\nbreak"),
                  std::pair(RecordTag::kDirectory, "/srv"), std::pair(RecordTag::kUser, "33:33"),
                  std::pair(RecordTag::kHostname, "strata-vm")));
}

TEST(GuestConfig, RefusesWhatCantBeSaid) {
  EXPECT_THAT(make_guest_config(some_image(), {.working_dir = "relative"}),
              FailsWith(EINVAL, "not an absolute path"));
  EXPECT_THAT(make_guest_config(some_image(), {.command = {std::string("a\0b", 3)}}),
              FailsWith(EINVAL, "NUL"));
}

}  // namespace
}  // namespace strata::vm
