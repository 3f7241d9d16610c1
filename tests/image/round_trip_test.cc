// Archives to other engines' programs and back: skopeo and umoci say whether ours are right.

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "tests/image/archives.h"
#include "tests/support/environment.h"
#include "tests/support/matchers.h"
#include "tests/support/temp_dir.h"
#include "tests/unionfs/tree.h"
#include "unionfs/base/json.h"

namespace strata::image {
namespace {

using testing::TarBuilder;

// A base and a layer on top that changes and removes something of it.
std::string base_tar() {
  return TarBuilder()
      .directory("etc")
      .file("etc/keep", "keep")
      .file("etc/gone", "gone")
      .file("etc/changed", "old")
      .hard_link("etc/also-keep", "etc/keep")
      .symlink("etc/link", "keep")
      .add({.name = "bin", .type = '5', .mode = 01777, .uid = 7, .gid = 8})
      .add({.name = "bin/su", .content = "#!", .mode = 04755})
      .bytes();
}

std::string top_tar() {
  return TarBuilder()
      .directory("etc")
      .file("etc/.wh.gone")
      .file("etc/changed", "new")
      .file("etc/" + std::string(120, 'n'), "long name")
      .bytes();
}

class RoundTrip : public ::testing::Test {
 protected:
  void SetUp() override {
    STRATA_NEEDS_ROOT();
    STRATA_NEEDS_PROGRAM("skopeo");
  }
  [[nodiscard]] std::string path(const std::string& name) const { return (dir_ / name).string(); }

  // Runs strata-image over the store of this name.
  Completed strata(const std::string& store, std::vector<std::string> arguments) const {
    std::vector<std::string> argv{testing::own_program("strata-image"), "--root", path(store)};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    auto done = testing::run(argv);
    EXPECT_EQ(done.status, 0) << done.err;
    return done;
  }
  void skopeo_copy(const std::string& from, const std::string& to) const {
    const auto done = testing::run({"skopeo", "copy", "--insecure-policy", "-q", from, to});
    ASSERT_EQ(done.status, 0) << from << " to " << to << ": " << done.err;
  }
  [[nodiscard]] Result<Image> image(const std::string& store, const std::string& name) const {
    STRATA_TRY(const Store opened, Store::open(dir_ / store));
    return opened.get(name);
  }
  void make_two_layers(const std::string& store) const {
    std::ofstream(path("base.tar"), std::ios::binary) << base_tar();
    std::ofstream(path("top.tar"), std::ios::binary) << top_tar();
    strata(store, {"import", path("base.tar"), "base", "-c", "ENV A=1 B=\"x y\""});
    strata(store, {"import", path("top.tar"), "web:1", "--base", "base", "-c", "CMD [\"/bin/su\"]",
                   "-c", "EXPOSE 80"});
  }
  // The same layers, in name and in content.
  static void expect_same_layers(const Image& expected, const Image& actual) {
    // Tars say nothing of these two: each unpacking gives them its own time.
    const testing::ScanOptions options{.root = false, .whiteout_attributes = false};
    ASSERT_EQ(actual.layers.size(), expected.layers.size());
    for (size_t i = 0; i < expected.layers.size(); ++i) {
      EXPECT_EQ(actual.layers[i].diff_id, expected.layers[i].diff_id);
      EXPECT_EQ(testing::differences(testing::scan_tree(expected.layers[i].tree, options),
                                     testing::scan_tree(actual.layers[i].tree, options)),
                "");
    }
  }

  testing::TempDir dir_;
};

struct Form {
  const char* format;
  const char* compression;
};

class EveryForm : public RoundTrip, public ::testing::WithParamInterface<Form> {};

// Ours, through skopeo into (mostly) the other kind of archive, and back into a fresh store. On the
// way skopeo writes the configuration anew, so the ID is another, but the content must be the same.
TEST_P(EveryForm, SurvivesSkopeo) {
  make_two_layers("one");
  const auto [format, compression] = GetParam();
  strata("one", {"save", "-o", path("ours.tar"), "--format", format, "--compression", compression,
                 "web:1"});
  const bool is_oci = std::string(format) == "oci";
  // skopeo does not put layers that came as OCI zstd into a docker-archive.
  const bool to_docker = is_oci && std::string(compression) != "zstd";
  const std::string ours = (is_oci ? "oci-archive:" : "docker-archive:") + path("ours.tar");
  const std::string theirs = (to_docker ? "docker-archive:" : "oci-archive:") + path("theirs.tar");
  ASSERT_NO_FATAL_FAILURE(skopeo_copy(ours, theirs + ":web:1"));
  strata("two", {"load", "-i", path("theirs.tar")});
  STRATA_ASSERT_OK(const Image expected, image("one", "web:1"));
  STRATA_ASSERT_OK(const Image actual, image("two", "web:1"));
  EXPECT_EQ(actual.config.cmd, expected.config.cmd);
  EXPECT_EQ(actual.config.env, expected.config.env);
  EXPECT_EQ(actual.config.exposed_ports, expected.config.exposed_ports);
  expect_same_layers(expected, actual);
  strata("two", {"fsck"});
}

INSTANTIATE_TEST_SUITE_P(Archives, EveryForm,
                         ::testing::Values(Form{"oci", "gzip"}, Form{"oci", "zstd"},
                                           Form{"oci", "none"}, Form{"docker", "gzip"},
                                           Form{"docker", "zstd"}, Form{"docker", "none"}));

TEST_F(RoundTrip, SkopeoReadsTheStoreItself) {
  make_two_layers("one");
  const auto done = testing::run({"skopeo", "inspect", "oci:" + path("one/images") + ":web:1"});
  ASSERT_EQ(done.status, 0) << done.err;
  STRATA_ASSERT_OK(const Json json, parse_json(done.out, "skopeo"));
  STRATA_ASSERT_OK(const Image ours, image("one", "web:1"));
  EXPECT_EQ(json["Digest"], ours.manifest.digest);
  EXPECT_EQ(json["Layers"].size(), 2U);
  EXPECT_EQ(json["Env"], Json({"A=1", "B=x y"}));
}

TEST_F(RoundTrip, SavingAndLoadingOnesOwnKeepsEveryDigest) {
  make_two_layers("one");
  strata("one", {"save", "-o", path("a.tar"), "web:1", "base"});
  strata("two", {"load", "-i", path("a.tar")});
  for (const char* name : {"web:1", "base"}) {
    STRATA_ASSERT_OK(const Image expected, image("one", name));
    STRATA_ASSERT_OK(const Image actual, image("two", name));
    EXPECT_EQ(actual.id, expected.id);
    EXPECT_EQ(actual.manifest.digest, expected.manifest.digest);
    EXPECT_EQ(actual.size, expected.size);
    expect_same_layers(expected, actual);
  }
  strata("two", {"save", "-o", path("b.tar"), "web:1", "base"});
  EXPECT_EQ(testing::run({"cmp", path("a.tar"), path("b.tar")}).status, 0)
      << "the same images give the same bytes";
}

TEST_F(RoundTrip, ThroughPipes) {
  make_two_layers("one");
  const auto saved = strata("one", {"save", "web:1"});
  const auto loaded = testing::run(
      {testing::own_program("strata-image"), "--root", path("two"), "load"}, saved.out);
  EXPECT_EQ(loaded.status, 0) << loaded.err;
  EXPECT_NE(loaded.out.find("web:1"), std::string::npos);
}

// umoci unpacks what we saved as it unpacks what it made itself.
TEST_F(RoundTrip, UmociUnpacksTheSameTree) {
  STRATA_NEEDS_PROGRAM("umoci");
  std::ofstream(path("base.tar"), std::ios::binary) << base_tar();
  strata("one", {"import", path("base.tar"), "base"});
  strata("one", {"save", "-o", path("ours.tar"), "--compression", "gzip", "base"});
  ASSERT_NO_FATAL_FAILURE(
      skopeo_copy("oci-archive:" + path("ours.tar"), "oci:" + path("layout") + ":base"));
  const auto done =
      testing::run({"umoci", "unpack", "--image", path("layout") + ":base", path("bundle")});
  ASSERT_EQ(done.status, 0) << done.err;
  STRATA_ASSERT_OK(const Image ours, image("one", "base"));
  // The tar says nothing of the root directory, so each program gives it its own.
  const testing::ScanOptions options{.root = false};
  EXPECT_EQ(testing::differences(testing::scan_tree(path("bundle/rootfs"), options),
                                 testing::scan_tree(ours.layers[0].tree, options)),
            "");
}

TEST_F(RoundTrip, LoadsWhatUmociMade) {
  STRATA_NEEDS_PROGRAM("umoci");
  const std::string layout = path("layout");
  const auto run = [](const std::vector<std::string>& command) {
    const auto done = testing::run(command);
    ASSERT_EQ(done.status, 0) << done.err;
  };
  run({"umoci", "init", "--layout", layout});
  run({"umoci", "new", "--image", layout + ":v1"});
  run({"umoci", "unpack", "--image", layout + ":v1", path("bundle")});
  for (const char* name : {"first", "second"}) {
    std::ofstream(path("bundle/rootfs/") + name) << name;
    run({"umoci", "repack", "--refresh-bundle", "--image", layout + ":v1", path("bundle")});
  }
  std::filesystem::remove(path("bundle/rootfs/first"));
  run({"umoci", "repack", "--image", layout + ":v1", path("bundle")});
  run({"umoci", "config", "--image", layout + ":v1", "--config.cmd", "/bin/true"});
  run({"tar", "-C", layout, "-cf", path("umoci.tar"), "."});
  strata("one", {"load", "-i", path("umoci.tar")});
  STRATA_ASSERT_OK(const Image loaded, image("one", "v1"));
  EXPECT_EQ(loaded.config.cmd, std::vector<std::string>{"/bin/true"});
  ASSERT_EQ(loaded.layers.size(), 3U);
  EXPECT_TRUE(std::filesystem::is_regular_file(loaded.layers[1].tree / "second"));
  EXPECT_TRUE(std::filesystem::is_character_file(loaded.layers[2].tree / "first")) << "a whiteout";
}

class Debian : public RoundTrip {};

TEST_F(Debian, ImportsSavesAndComesBackTheSame) {
  STRATA_NEEDS_DEBIAN();
  strata("one", {"import", testing::debian_tar().string(), "debian:bookworm", "-c",
                 "CMD [\"/bin/bash\"]"});
  STRATA_ASSERT_OK(const Image expected, image("one", "debian:bookworm"));
  EXPECT_GT(expected.size, 100'000'000U);
  EXPECT_TRUE(std::filesystem::exists(expected.layers[0].tree / "etc/debian_version"));
  strata("one", {"save", "-o", path("ours.tar"), "--compression", "none", "debian:bookworm"});
  ASSERT_NO_FATAL_FAILURE(skopeo_copy("oci-archive:" + path("ours.tar"),
                                      "docker-archive:" + path("theirs.tar") + ":x:1"));
  strata("two", {"load", "-i", path("theirs.tar")});
  STRATA_ASSERT_OK(const Image actual, image("two", "x:1"));
  expect_same_layers(expected, actual);
}

TEST_F(Debian, TwoImagesOnOneBaseKeepItOnce) {
  STRATA_NEEDS_DEBIAN();
  strata("one", {"import", testing::debian_tar().string(), "debian"});
  const auto usage = [&] {
    const auto done = testing::run({"du", "-s", "--block-size=1", path("one")});
    return std::stoull(done.out);
  };
  const auto before = usage();
  std::ofstream(path("top.tar"), std::ios::binary) << top_tar();
  for (const char* name : {"postgres", "apache"})
    strata("one", {"import", path("top.tar"), name, "--base", "debian", "-c",
                   "ENV WHO=" + std::string(name)});
  EXPECT_LT(usage() - before, 200'000U);
  // The same base once more, through an archive of the other kind.
  strata("one", {"save", "--format", "docker", "-o", path("ours.tar"), "apache"});
  strata("one", {"rmi", "apache"});
  strata("one", {"load", "-i", path("ours.tar")});
  EXPECT_LT(usage() - before, 200'000U);
  strata("one", {"fsck"});
}

}  // namespace
}  // namespace strata::image
