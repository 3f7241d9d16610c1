// strata-image as a black box: what it prints and how it exits.

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "tests/image/archives.h"
#include "tests/support/environment.h"
#include "tests/support/matchers.h"
#include "tests/support/temp_dir.h"
#include "unionfs/base/json.h"

namespace strata::image {
namespace {

using ::testing::HasSubstr;

class Cli : public ::testing::Test {
 protected:
  void SetUp() override { STRATA_NEEDS_ROOT(); }
  [[nodiscard]] Completed strata(std::vector<std::string> arguments,
                                 const std::string& input = {}) const {
    std::vector<std::string> argv{testing::own_program("strata-image"), "--root",
                                  (dir_ / "store").string()};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    return testing::run(argv, input);
  }
  [[nodiscard]] Json json_of(const std::vector<std::string>& arguments) const {
    const auto done = strata(arguments);
    auto json = parse_json(done.out, "output");
    EXPECT_TRUE(json.has_value()) << done.out << done.err;
    return json.value_or(Json());
  }
  void import(const std::string& name, std::vector<std::string> more = {}) const {
    std::vector<std::string> arguments{"import", "-", name};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const auto done = strata(arguments, testing::small_tar("a", "content of a"));
    ASSERT_EQ(done.status, 0) << done.err;
    EXPECT_THAT(done.out, ::testing::StartsWith("sha256:"));
  }

  testing::TempDir dir_;
};

TEST_F(Cli, ListsImagesAsTableIdsAndJson) {
  const auto nothing = strata({"images"});
  EXPECT_EQ(nothing.status, 1) << "a store that is not there is not an empty one";
  EXPECT_THAT(nothing.err, HasSubstr("no store in " + (dir_ / "store").string()));
  import("gone");
  EXPECT_EQ(strata({"rmi", "gone"}).status, 0);
  EXPECT_EQ(strata({"images"}).out, "NAME  ID  CREATED  SIZE  LAYERS\n");
  EXPECT_EQ(json_of({"images", "--json"}), Json::array());
  import("web:1", {"-a", "me", "-m", "why", "-c", "CMD [\"/a\"]", "-c", "VOLUME /data"});
  const auto table = strata({"images"}).out;
  EXPECT_THAT(table, HasSubstr("web:1"));
  EXPECT_THAT(table, HasSubstr("12 B"));
  const Json images = json_of({"images", "--json"});
  ASSERT_EQ(images.size(), 1U);
  const Json& image = images[0];
  EXPECT_EQ(image["kind"], "image");
  EXPECT_EQ(image["names"], Json({"web:1"}));
  EXPECT_EQ(image["author"], "me");
  EXPECT_EQ(image["size"], 12);
  EXPECT_EQ(image["config"]["cmd"], Json({"/a"}));
  EXPECT_EQ(image["config"]["volumes"], Json({"/data"}));
  EXPECT_TRUE(image["config"]["labels"].is_object());
  EXPECT_EQ(image["layers"].size(), 1U);
  EXPECT_TRUE(std::filesystem::exists(std::string(image["layers"][0]["tree"]) + "/a"));
  EXPECT_EQ(strata({"images", "-q"}).out, std::string(image["id"]) + "\n");
}

TEST_F(Cli, ShowsTheHistoryNewestFirst) {
  import("base", {"-m", "first"});
  import("web", {"--base", "base", "-m", "second \x1b[31m"});
  const Json history = json_of({"history", "--json", "web"});
  ASSERT_EQ(history.size(), 2U);
  EXPECT_EQ(history[1]["comment"], "first");
  EXPECT_EQ(history[0]["size"], 12);
  const auto table = strata({"history", "web"}).out;
  EXPECT_THAT(table, HasSubstr("second ?[31m")) << "terminals are not for images to drive";
  EXPECT_THAT(table, HasSubstr("strata import -"));
}

TEST_F(Cli, TagsAndRemoves) {
  import("web");
  EXPECT_EQ(strata({"tag", "web", "prod:2"}).status, 0);
  EXPECT_EQ(strata({"rmi", "web"}).out, "untagged web:latest\n");
  const auto done = strata({"rmi", "prod:2"});
  EXPECT_THAT(done.out, HasSubstr("untagged prod:2\nremoved sha256:"));
  EXPECT_EQ(strata({"images", "-q"}).out, "");
}

TEST_F(Cli, ChecksAndPrunes) {
  import("web");
  EXPECT_EQ(strata({"fsck"}).status, 0);
  std::filesystem::create_directories(dir_ / "store/tmp/1-dead");
  EXPECT_EQ(strata({"fsck"}).status, 1);
  EXPECT_EQ(json_of({"fsck", "--json"})[0]["kind"], "leftover");
  EXPECT_EQ(json_of({"prune", "--json"})["leftovers"], 1);
  EXPECT_EQ(json_of({"fsck", "--json"}), Json::array());
  std::filesystem::create_directories(dir_ / "store/tmp/1-dead");
  EXPECT_EQ(strata({"fsck", "--repair"}).status, 0);
}

TEST_F(Cli, SaysWhatIsWrongOnceAndFails) {
  import("web");
  const auto absent = strata({"history", "absent"});
  EXPECT_EQ(absent.status, 1);
  EXPECT_EQ(std::count(absent.err.begin(), absent.err.end(), '\n'), 1) << absent.err;
  EXPECT_THAT(absent.err, HasSubstr("no image 'absent'"));
  EXPECT_EQ(strata({"import"}).status, 2);
  EXPECT_EQ(strata({"import", "/absent.tar", "web"}).status, 1);
  EXPECT_EQ(strata({"import", "-", "web", "--compression", "rar"}).status, 1);
  EXPECT_THAT(strata({"load"}, "junk").err, HasSubstr("load standard input: "));
  EXPECT_EQ(strata({"save", "absent"}).status, 1);
}

TEST_F(Cli, SavesWholeFilesOrNone) {
  import("web");
  const auto archive = dir_ / "web.tar";
  std::ofstream(archive) << "precious";
  EXPECT_EQ(strata({"save", "-o", archive.string(), "absent"}).status, 1);
  EXPECT_EQ(std::filesystem::file_size(archive), 8U);
  EXPECT_EQ(strata({"save", "-o", archive.string(), "web"}).status, 0);
  EXPECT_GT(std::filesystem::file_size(archive), 1000U);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(dir_.path()), {}), 2);
  EXPECT_EQ(strata({"save", "-o", "/dev/full", "web"}).status, 1);
  EXPECT_TRUE(std::filesystem::is_empty(dir_ / "store/tmp"));
}

TEST_F(Cli, AReaderThatGoesAwayLeavesNothingBehind) {
  // More than a pipe holds.
  ASSERT_EQ(strata({"import", "-", "web", "--compression", "none"},
                   testing::small_tar("a", std::string(1'000'000, 'x')))
                .status,
            0);
  const std::string program =
      testing::own_program("strata-image") + " --root " + (dir_ / "store").string();
  const auto done =
      testing::run({"bash", "-c", "set -o pipefail; " + program + " save web | true"});
  EXPECT_NE(done.err.find("Broken pipe"), std::string::npos) << done.err;
  EXPECT_TRUE(std::filesystem::is_empty(dir_ / "store/tmp"));
}

// script(1) gives the program a terminal.
TEST_F(Cli, KeepsArchivesOffTerminals) {
  STRATA_NEEDS_PROGRAM("script");
  import("web");
  const std::string program =
      testing::own_program("strata-image") + " --root " + (dir_ / "store").string();
  const auto saved = testing::run({"script", "-qec", program + " save web", "/dev/null"});
  EXPECT_EQ(saved.status, 1);
  EXPECT_THAT(saved.out, HasSubstr("terminal"));
  const auto loaded = testing::run({"script", "-qec", program + " load", "/dev/null"});
  EXPECT_EQ(loaded.status, 1);
  EXPECT_THAT(loaded.out, HasSubstr("terminal"));
}

}  // namespace
}  // namespace strata::image
