// strata-union as a black box.
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/environment.h"
#include "tests/support/temp_dir.h"
#include "unionfs/base/file.h"

namespace strata::unionfs {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;

class UnionCli : public ::testing::Test {
 protected:
  void SetUp() override {
    STRATA_NEEDS_ROOT();
    ASSERT_TRUE(testing::enter_private_namespaces());
    dir_.write("bottom/etc/a", "from the bottom");
    dir_.write("bottom/etc/b", "gone");
    dir_.write("top/etc/a", "from the top");
    ASSERT_EQ(::mknod((dir_ / "top/etc/b").c_str(), S_IFCHR, 0), 0);
    for (const char* name : {"upper", "work", "merged"})
      std::filesystem::create_directory(dir_ / name);
  }

  std::string lower() const { return (dir_ / "top").string() + ":" + (dir_ / "bottom").string(); }

  Completed run(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), testing::own_program("strata-union"));
    return testing::run(std::move(arguments));
  }
  Completed ask(const std::string& verb, std::vector<std::string> arguments) const {
    std::vector<std::string> all = {verb, "--lower", lower()};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return run(std::move(all));
  }

  testing::TempDir dir_;
};

TEST_F(UnionCli, LooksIntoAUnion) {
  EXPECT_EQ(ask("ls", {"/etc"}).out, "a\n");
  const Json stat = Json::parse(ask("stat", {"/etc/a"}).out);
  EXPECT_EQ(stat[0]["size"], 12);
  EXPECT_EQ(stat[0]["type"], "file");
  const Completed tree = ask("tree", {});
  EXPECT_EQ(tree.out, "/\n└── etc\n    └── a\n\n2 files and directories\n");
  const Completed missing = ask("stat", {"/etc/b"});
  EXPECT_EQ(missing.status, 1);
  EXPECT_THAT(missing.err, HasSubstr("/etc/b"));
}

TEST_F(UnionCli, ExplainsALookup) {
  const Completed found = ask("lookup", {"--explain", "--json", "/etc/a"});
  const Json json = Json::parse(found.out);
  EXPECT_EQ(json["layer"], 0);
  EXPECT_EQ(json["layers"][0]["says"], "answers");
  EXPECT_EQ(json["layers"][1]["says"], "shadowed");
  const Completed hidden = ask("lookup", {"--explain", "--json", "/etc/b"});
  EXPECT_EQ(hidden.status, 1);
  EXPECT_EQ(Json::parse(hidden.out)["layers"][0]["says"], "whiteout");
}

TEST_F(UnionCli, MountsByEveryPresenter) {
  for (const std::string presenter : {"overlay", "flat", "copy"}) {
    const auto merged = dir_ / "merged";
    const Completed mounted =
        ask("mount", {"--presenter", presenter, "--cache", dir_ / "cache", merged});
    ASSERT_EQ(mounted.status, 0) << presenter << ": " << mounted.err;
    EXPECT_EQ(read_file(merged / "etc/a").value_or("?"), "from the top") << presenter;
    EXPECT_FALSE(std::filesystem::exists(merged / "etc/b")) << presenter;
    EXPECT_EQ(run({"umount", merged}).status, 0);
    EXPECT_TRUE(std::filesystem::is_empty(merged));
  }
  const Completed nothing = run({"umount", dir_ / "merged"});
  EXPECT_EQ(nothing.status, 1);
  EXPECT_THAT(nothing.err, HasSubstr("nothing is mounted there"));
}

TEST_F(UnionCli, DiffTellsWhatAnUpperChanges) {
  const auto merged = dir_ / "merged";
  const std::vector<std::string> upper = {"--upper", dir_ / "upper", "--work", dir_ / "work"};
  std::vector<std::string> arguments = upper;
  arguments.push_back(merged);
  ASSERT_EQ(ask("mount", arguments).status, 0);
  dir_.write("merged/etc/new", "n");
  ASSERT_EQ(::unlink((merged / "etc/a").c_str()), 0);
  ASSERT_EQ(run({"umount", merged}).status, 0);
  EXPECT_EQ(ask("diff", {"--upper", dir_ / "upper"}).out, "C /etc\nD /etc/a\nA /etc/new\n");
  EXPECT_EQ(ask("diff", {}).status, 1);
}

TEST_F(UnionCli, VerifyFindsAChangedLayer) {
  EXPECT_EQ(ask("verify", {"--index", dir_ / "index"}).status, 0);
  dir_.write("bottom/etc/later", "against the rules");
  const Completed changed = ask("verify", {"--index", dir_ / "index"});
  EXPECT_EQ(changed.status, 1);
  EXPECT_THAT(changed.err, HasSubstr((dir_ / "bottom").string()));
}

TEST_F(UnionCli, PacksAndUnpacks) {
  ASSERT_EQ(run({"pack", dir_ / "top", "-o", dir_ / "top.tar"}).status, 0);
  ASSERT_EQ(run({"unpack", dir_ / "top.tar", dir_ / "again"}).status, 0);
  struct stat whiteout {};
  ASSERT_EQ(::lstat((dir_ / "again/etc/b").c_str(), &whiteout), 0);
  EXPECT_TRUE(S_ISCHR(whiteout.st_mode));
  EXPECT_EQ(run({"unpack", dir_ / "top.tar", dir_ / "again"}).status, 1) << "it holds something";
  dir_.write("bad.tar", "no tar");
  EXPECT_EQ(run({"unpack", dir_ / "bad.tar", dir_ / "nothing"}).status, 1);
  EXPECT_FALSE(std::filesystem::exists(dir_ / "nothing"));
}

TEST_F(UnionCli, AnUpperOfRedirectsIsCompletedThenPacked) {
  dir_.write("bottom/d/file", "content");
  const std::string options = "lowerdir=" + lower() + ",upperdir=" + (dir_ / "upper").string() +
                              ",workdir=" + (dir_ / "work").string() + ",redirect_dir=on";
  ASSERT_EQ(::mount("overlay", (dir_ / "merged").c_str(), "overlay", 0, options.c_str()), 0);
  ASSERT_EQ(::rename((dir_ / "merged/d").c_str(), (dir_ / "merged/moved").c_str()), 0);
  ASSERT_EQ(::umount((dir_ / "merged").c_str()), 0);
  EXPECT_EQ(run({"pack", dir_ / "upper", "-o", dir_ / "upper.tar"}).status, 1);
  EXPECT_FALSE(std::filesystem::exists(dir_ / "upper.tar"));
  EXPECT_FALSE(std::filesystem::exists(dir_ / "upper.tar.part"));
  ASSERT_EQ(ask("complete", {"--upper", dir_ / "upper", "--work", dir_ / "work"}).status, 0);
  ASSERT_EQ(run({"pack", dir_ / "upper", "-o", dir_ / "upper.tar"}).status, 0);
  ASSERT_EQ(run({"unpack", dir_ / "upper.tar", dir_ / "again"}).status, 0);
  EXPECT_EQ(read_file(dir_ / "again/moved/file").value_or("?"), "content");
}

TEST_F(UnionCli, SaysWhatIsWrong) {
  EXPECT_EQ(run({}).status, 2);
  EXPECT_EQ(run({"nonsense"}).status, 2);
  EXPECT_EQ(run({"ls"}).status, 2) << "--lower is needed";
  const Completed missing = run({"ls", "--lower", dir_ / "nope"});
  EXPECT_EQ(missing.status, 1);
  EXPECT_THAT(missing.err, HasSubstr((dir_ / "nope").string()));
  EXPECT_EQ(run({"ls", "--lower", "a::b"}).status, 1);
  EXPECT_EQ(ask("mount", {"--presenter", "other", dir_ / "merged"}).status, 2);
  EXPECT_EQ(ask("mount", {"--upper", dir_ / "upper", dir_ / "merged"}).status, 1);
  EXPECT_EQ(run({"--help"}).status, 0);
}

}  // namespace
}  // namespace strata::unionfs
