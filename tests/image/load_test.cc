#include <filesystem>
#include <optional>

#include <gtest/gtest.h>

#include "runtime/image/config_edit.h"
#include "runtime/image/digest.h"
#include "runtime/image/media_type.h"
#include "runtime/image/oci_json.h"
#include "runtime/image/sha256.h"
#include "tests/image/archives.h"
#include "tests/support/environment.h"
#include "tests/support/matchers.h"
#include "tests/support/temp_dir.h"
#include "unionfs/base/file.h"

namespace strata::image {
namespace {

using testing::compressed;
using testing::DockerArchive;
using testing::FailsWith;
using testing::IsOk;
using testing::load;
using testing::OciArchive;
using testing::small_tar;
using testing::TarBuilder;
using Strings = std::vector<std::string>;

std::string blob_path(const Descriptor& blob) {
  return "blobs/sha256/" + std::string(digest_hex(blob.digest));
}

class Load : public ::testing::Test {
 protected:
  void SetUp() override {
    STRATA_NEEDS_ROOT();
    STRATA_ASSERT_OK(Store opened, Store::open(dir_ / "store"));
    store_.emplace(std::move(opened));
    before_ = testing::store_content(*store_);
  }
  void TearDown() override {
    if (!store_) return;
    EXPECT_EQ(testing::findings_of(*store_), "");
  }
  // The archive is refused with this error and nothing of it is kept.
  template <class Matcher>
  void expect_refused(const std::string& archive, Matcher matcher,
                      const LoadOptions& options = {}) {
    EXPECT_THAT(load(*store_, archive, options), matcher);
    EXPECT_EQ(testing::store_content(*store_), before_);
  }

  testing::TempDir dir_;
  std::optional<Store> store_;
  Strings before_;
};

TEST_F(Load, ReadsAnOciArchiveAndKeepsItsDigests) {
  for (const auto form : {Compression::kNone, Compression::kGzip, Compression::kZstd}) {
    OciArchive archive;
    const auto manifest =
        archive.add_image("web:1", {small_tar("a", "1"), small_tar("b", "2")}, form);
    STRATA_ASSERT_OK(const auto images, load(*store_, archive.bytes()));
    ASSERT_EQ(images.size(), 1U);
    EXPECT_EQ(images[0].manifest.digest, manifest.digest);
    EXPECT_EQ(images[0].names, Strings{"web:1"});
    EXPECT_EQ(images[0].layers[1].diff_id, sha256_digest(small_tar("b", "2")));
    EXPECT_TRUE(std::filesystem::exists(images[0].layers[1].tree / "b"));
  }
}

TEST_F(Load, ReadsADockerArchive) {
  for (const bool as_links : {false, true}) {
    DockerArchive archive;
    archive.add_image("docker.io/library/web:1", {small_tar("a", "1"), small_tar("b", "2")},
                      as_links);
    STRATA_ASSERT_OK(const auto images, load(*store_, archive.bytes()));
    ASSERT_EQ(images.size(), 1U);
    EXPECT_EQ(images[0].names, Strings{"web:1"});
    EXPECT_EQ(images[0].layers[0].blob.media_type, kOciLayerZstd);
    EXPECT_TRUE(std::filesystem::exists(images[0].layers[1].tree / "b"));
  }
}

TEST_F(Load, ReadsCompressedArchives) {
  OciArchive archive;
  archive.add_image("web", {small_tar("a", "1")});
  for (const auto form : {Compression::kGzip, Compression::kZstd})
    EXPECT_THAT(load(*store_, compressed(archive.bytes(), form)), IsOk());
}

TEST_F(Load, TakesSeveralImagesAndSharesTheirLayers) {
  const std::string base = small_tar("base", "x");
  OciArchive oci;
  oci.add_image("a", {base, small_tar("a", "1")});
  oci.add_image("b", {base, small_tar("b", "1")});
  STRATA_ASSERT_OK(const auto first, load(*store_, oci.bytes()));
  EXPECT_EQ(first.size(), 2U);
  // The same base in another form: its tree and its blob are there already.
  DockerArchive docker;
  docker.add_image("c", {base, small_tar("c", "1")});
  docker.add_image("d", {base, small_tar("d", "1")});
  STRATA_ASSERT_OK(const auto second, load(*store_, docker.bytes()));
  EXPECT_EQ(second.size(), 2U);
  EXPECT_EQ(second[0].layers[0].blob.digest, first[0].layers[0].blob.digest);
  const auto layers = std::filesystem::directory_iterator(store_->layers_dir());
  EXPECT_EQ(std::distance(begin(layers), end(layers)), 5);
}

TEST_F(Load, AHundredLayers) {
  Strings tars;
  for (int i = 0; i < 100; ++i)
    tars.push_back(small_tar("file-" + std::to_string(i), std::to_string(i)));
  OciArchive archive;
  archive.add_image("deep", tars);
  STRATA_ASSERT_OK(const auto images, load(*store_, archive.bytes()));
  ASSERT_EQ(images[0].layers.size(), 100U);
  EXPECT_TRUE(std::filesystem::exists(images[0].trees_top_first().front() / "file-99"));
}

TEST_F(Load, OneImageMayHaveSeveralNamesOrNone) {
  OciArchive archive;
  const auto manifest = archive.add_image("one", {small_tar("a", "1")});
  archive.add_entry(manifest, "two:2");
  archive.add_entry(manifest, "Not A Name");
  STRATA_ASSERT_OK(const auto images, load(*store_, archive.bytes()));
  ASSERT_EQ(images.size(), 1U);
  EXPECT_EQ(images[0].names, (Strings{"one:latest", "two:2"}));

  OciArchive unnamed;
  unnamed.add_image("", {small_tar("b", "1")});
  STRATA_ASSERT_OK(const auto nameless, load(*store_, unnamed.bytes()));
  EXPECT_TRUE(nameless.at(0).names.empty());
}

TEST_F(Load, ContainerdsNameWinsOverABareTag) {
  OciArchive archive;
  const auto manifest = archive.add_image("x", {small_tar("a", "1")});
  archive.index_entries =
      R"({"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":")" + manifest.digest +
      R"(","size":)" + std::to_string(manifest.size) +
      R"(,"annotations":{"io.containerd.image.name":"docker.io/library/web:1",)"
      R"("org.opencontainers.image.ref.name":"1"}})";
  STRATA_ASSERT_OK(const auto images, load(*store_, archive.bytes()));
  EXPECT_EQ(images.at(0).names, Strings{"web:1"});
}

TEST_F(Load, ChoosesThisMachinesPlatform) {
  const std::string ours = R"({"os":"linux","architecture":")" + host_architecture() + "\"}";
  const std::string theirs = R"({"os":"linux","architecture":"z80"})";
  OciArchive archive;
  const auto mine = archive.add_image("", {small_tar("a", "mine")});
  const auto other = archive.add_image("", {small_tar("a", "other")});
  archive.index_entries.clear();
  archive.add_entry(other, "", theirs);
  archive.add_entry(mine, "", ours);
  const auto nested = archive.add_blob(
      kOciIndex, R"({"schemaVersion":2,"manifests":[)" + archive.index_entries + "]}");
  archive.index_entries.clear();
  archive.add_entry(nested, "web");
  STRATA_ASSERT_OK(const auto images, load(*store_, archive.bytes()));
  ASSERT_EQ(images.size(), 1U);
  EXPECT_EQ(images[0].manifest.digest, mine.digest);
}

TEST_F(Load, RefusesPlatformsOfOtherMachinesOnly) {
  OciArchive archive;
  const auto other = archive.add_image("", {small_tar("a", "other")});
  archive.index_entries.clear();
  archive.add_entry(other, "", R"({"os":"linux","architecture":"z80"})");
  const auto nested = archive.add_blob(
      kOciIndex, R"({"schemaVersion":2,"manifests":[)" + archive.index_entries + "]}");
  archive.index_entries.clear();
  archive.add_entry(nested, "web");
  expect_refused(archive.bytes(), FailsWith(ENOTSUP, "linux/z80"));
  // An index in an index in index.json.
  archive.index_entries.clear();
  archive.add_entry(nested, "");
  const auto deeper = archive.add_blob(
      kOciIndex, R"({"schemaVersion":2,"manifests":[)" + archive.index_entries + "]}");
  archive.index_entries.clear();
  archive.add_entry(deeper, "web");
  expect_refused(archive.bytes(), FailsWith(ENOTSUP, "index inside"));
}

TEST_F(Load, RefusesWhatIsNoImageArchive) {
  expect_refused("", FailsWith(EBADMSG));
  expect_refused(small_tar("etc/passwd", "x"), FailsWith(EINVAL, "strata import"));
  expect_refused(std::string(100'000, 'x'), FailsWith(EBADMSG));
  OciArchive empty;
  expect_refused(empty.bytes(), FailsWith(EINVAL, "no image"));
  DockerArchive nothing;
  expect_refused(nothing.bytes(), FailsWith(EINVAL, "manifest.json"));
}

TEST_F(Load, RefusesBlobsThatLie) {
  const std::string tar = small_tar("a", "1");
  OciArchive archive;
  const auto manifest = archive.add_image("web", {tar});
  const auto layer = archive.add_blob("", compressed(tar, Compression::kGzip));
  const OciArchive honest = archive;

  archive.files[blob_path(layer)] = compressed(small_tar("a", "evil"), Compression::kGzip);
  expect_refused(archive.bytes(), FailsWith(EBADMSG, "digest"));
  archive = honest;
  archive.files[blob_path(layer)] += "x";
  expect_refused(archive.bytes(), FailsWith(EBADMSG));
  archive = honest;
  archive.files[blob_path(manifest)] += " ";
  expect_refused(archive.bytes(), FailsWith(EBADMSG, "digest"));
  archive = honest;
  archive.files.erase(blob_path(layer));
  expect_refused(archive.bytes(), FailsWith(EINVAL, "missing"));
  archive = honest;
  archive.index_entries = "";
  archive.add_entry({manifest.media_type, manifest.digest, manifest.size + 1}, "web");
  expect_refused(archive.bytes(), FailsWith(EBADMSG, "announced"));
  archive = honest;
  archive.index_entries = "";
  archive.add_entry({"text/plain", manifest.digest, manifest.size}, "web");
  expect_refused(archive.bytes(), FailsWith(ENOTSUP, "text/plain"));
}

TEST_F(Load, RefusesLayersThatAreNotWhatTheConfigurationSays) {
  const std::string tar = small_tar("a", "1");
  const std::string other = sha256_digest("other");
  for (const Strings& diff_ids : {Strings{other}, Strings{}, Strings{sha256_digest(tar), other}}) {
    OciArchive archive;
    const Manifest manifest{
        .media_type = std::string(kOciManifest),
        .config = archive.add_blob(kOciConfig, testing::config_json(diff_ids)),
        .layers = {archive.add_blob(kOciLayerGzip, compressed(tar, Compression::kGzip))}};
    archive.add_entry(archive.add_blob(kOciManifest, manifest_to_json(manifest)), "web");
    expect_refused(archive.bytes(), FailsWith(EBADMSG));
  }
  DockerArchive docker;
  docker.add_image("web", {tar});
  for (auto& [path, content] : docker.files)
    if (path.ends_with(".tar")) content = small_tar("a", "evil");
  expect_refused(docker.bytes(), FailsWith(EBADMSG));
}

TEST_F(Load, ALieAboutALayerThatIsThereIsALieStill) {
  const std::string tar = small_tar("a", "1");
  OciArchive good;
  good.add_image("good", {tar});
  ASSERT_THAT(load(*store_, good.bytes()), IsOk());
  before_ = testing::store_content(*store_);
  OciArchive archive;
  const Manifest manifest{
      .media_type = std::string(kOciManifest),
      .config = archive.add_blob(kOciConfig, testing::config_json({sha256_digest(tar)})),
      .layers = {archive.add_blob(kOciLayer, small_tar("a", "evil"))}};
  archive.add_entry(archive.add_blob(kOciManifest, manifest_to_json(manifest)), "web");
  expect_refused(archive.bytes(), FailsWith(EBADMSG));
}

TEST_F(Load, HealsBlobsThatAreDamagedInTheStore) {
  testing::OciArchive oci;
  oci.add_image("web", {small_tar("a", "1")});
  testing::DockerArchive docker;
  docker.add_image("db", {small_tar("b", "2")});
  for (const std::string& archive : {oci.bytes(), docker.bytes()}) {
    STRATA_ASSERT_OK(const auto images, load(*store_, archive));
    const auto blob = store_->blob_path(images.front().layers[0].blob.digest);
    for (const auto& path : {blob, store_->blob_path(images.front().id)}) {
      STRATA_ASSERT_OK(std::string bytes, read_file(path));
      bytes[bytes.size() / 2] ^= 1;
      ASSERT_THAT(write_file_atomic(path, bytes), IsOk());
      EXPECT_NE(testing::findings_of(*store_), "");
      EXPECT_THAT(load(*store_, archive), IsOk());
      EXPECT_EQ(testing::findings_of(*store_), "");
    }
  }
}

TEST_F(Load, KeepsNoneOfSeveralImagesIfOneIsBad) {
  OciArchive archive;
  archive.add_image("good", {small_tar("a", "1")});
  archive.add_image("evil", {small_tar("../../evil", "1")});
  expect_refused(archive.bytes(), FailsWith(EINVAL, "layer 1 of 1"));
}

TEST_F(Load, RefusesPathTricksOfTheArchiveItself) {
  OciArchive archive;
  archive.add_image("web", {small_tar("a", "1")});
  const auto with = [&](const testing::TarEntry& entry) {
    return TarBuilder().add(entry).bytes_without_end() + archive.bytes();
  };
  expect_refused(with({.name = "../evil"}), FailsWith(EINVAL));
  expect_refused(with({.name = "/evil"}), FailsWith(EINVAL));
  expect_refused(with({.name = "a/../evil"}), FailsWith(EINVAL));
  expect_refused(with({.name = "l", .type = '2', .link = "../../etc"}), FailsWith(EINVAL));
  expect_refused(with({.name = "l", .type = '2', .link = "/etc/passwd"}), FailsWith(EINVAL));
  expect_refused(with({.name = "l", .type = '1', .link = "../x"}), FailsWith(EINVAL));
  expect_refused(with({.name = "dev", .type = '3', .major = 1, .minor = 3}), FailsWith(EINVAL));
  expect_refused(with({.name = "index.json", .content = "{}"}), FailsWith(EINVAL, "twice"));
  EXPECT_THAT(
      load(*store_, with({.name = "oci-layout", .content = R"({"imageLayoutVersion":"1.0.0"})"})),
      IsOk())
      << "the same thing said twice is no trick";
}

TEST_F(Load, RefusesSparseFilesThatClaimMoreThanThereIs) {
  STRATA_NEEDS_PROGRAM("tar");
  const auto file = dir_.write("index.json", "{}");
  std::filesystem::resize_file(file, uintmax_t{1} << 40);
  for (const char* format : {"gnu", "pax"}) {
    const auto tar = testing::run(
        {"tar", "-C", dir_.path().string(), "-cS", "-f", "-", "--format", format, "index.json"});
    ASSERT_EQ(tar.status, 0);
    expect_refused(tar.out, FailsWith(EINVAL, "sparse"));
  }
}

TEST_F(Load, RefusesLinksThatLeadNowhere) {
  DockerArchive archive;
  archive.add_image("web", {small_tar("a", "1")}, true);
  archive.symlinks.begin()->second = "layer.tar";
  expect_refused(archive.bytes(), FailsWith(EINVAL, "circles"));
  archive.symlinks.begin()->second = "../absent.tar";
  expect_refused(archive.bytes(), FailsWith(EINVAL, "missing"));
}

TEST_F(Load, StopsAtItsLimits) {
  OciArchive archive;
  archive.add_image("web", {small_tar("zeros", std::string(4'000'000, '\0'))});
  const std::string bytes = archive.bytes();
  expect_refused(bytes, FailsWith(EFBIG), {.limits = {.max_layer_bytes = 1'000'000}});
  expect_refused(bytes, FailsWith(EFBIG, "bomb"), {.limits = {.ratio_from = 1'000'000}});
  expect_refused(bytes, FailsWith(EFBIG), {.limits = {.max_archive_bytes = 1'000}});
  expect_refused(bytes, FailsWith(EFBIG), {.limits = {.max_members = 3}});
  expect_refused(
      compressed(TarBuilder().file("x", std::string(4'000'000, '\0')).bytes(), Compression::kGzip),
      FailsWith(EFBIG, "bomb"), {.limits = {.ratio_from = 1'000'000}});
}

TEST_F(Load, RefusesDocumentsThatAreTooLong) {
  OciArchive archive;
  archive.add_image("web", {small_tar("a", "1")});
  archive.files["index.json"] = std::string(5'000'000, ' ') + "{}";
  expect_refused(archive.bytes(), FailsWith(EFBIG, "index.json"));
}

TEST_F(Load, RefusesAnyDocumentCutShort) {
  OciArchive archive;
  archive.add_image("web", {small_tar("a", "1")});
  const std::string index = R"({"schemaVersion":2,"manifests":[)" + archive.index_entries + "]}";
  for (size_t length = 0; length < index.size(); length += 7) {
    archive.files["index.json"] = index.substr(0, length);
    expect_refused(archive.bytes(), FailsWith(EINVAL));
  }
}

}  // namespace
}  // namespace strata::image
