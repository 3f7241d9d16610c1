// Tars that mean harm: refused by name, and nothing outside of the layer is touched.
#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/environment.h"
#include "tests/support/matchers.h"
#include "tests/support/temp_dir.h"
#include "tests/unionfs/random_tree.h"
#include "tests/unionfs/tar_builder.h"
#include "tests/unionfs/tree.h"
#include "unionfs/base/file.h"
#include "unionfs/layer_tar.h"

namespace strata::unionfs {
namespace {

using testing::FailsWith;
using testing::IsOk;
using testing::TarBuilder;
using testing::TempDir;
using testing::Tree;
using testing::unpack;

class HostileTar : public ::testing::Test {
 protected:
  void SetUp() override {
    STRATA_NEEDS_ROOT();
    dir.write("outside/secret", "secret");
    ASSERT_THAT(make_dirs(dir / "outside/dir"), IsOk());
    before_ = testing::scan_tree(dir / "outside");
  }
  void TearDown() override {
    if (IsSkipped()) return;
    EXPECT_EQ(testing::differences(before_, testing::scan_tree(dir / "outside")), "");
  }

  Result<LayerStats> unpack_fresh(const std::string& tar, const UnpackOptions& options = {}) {
    EXPECT_THAT(remove_tree(dir / "layer"), IsOk());
    return unpack(tar, dir / "layer", options);
  }

  TempDir dir;

 private:
  Tree before_;
};

TEST_F(HostileTar, RefusedByName) {
  const std::string outside = dir / "outside";
  const struct {
    const char* says;
    std::function<void(TarBuilder&)> make;
  } cases[] = {
      {"'/etc/passwd': its name is absolute", [](auto& t) { t.file("/etc/passwd"); }},
      {"'../outside/new': its name has a '..'", [](auto& t) { t.file("../outside/new"); }},
      {"'a/../../outside/new'", [](auto& t) { t.file("a/../../outside/new"); }},
      {"'..': its name has a '..'", [](auto& t) { t.directory(".."); }},
      {"'': its name is empty", [](auto& t) { t.file(""); }},
      {"'.': the layer itself must be a directory", [](auto& t) { t.file("."); }},
      {"'./': the layer itself must be a directory", [](auto& t) { t.symlink("./", "/"); }},
      {"'link/new': its name runs through 'link', which is not a directory",
       [&](auto& t) { t.symlink("link", outside).file("link/new"); }},
      {"'link/dir/new'", [&](auto& t) { t.symlink("link", outside).file("link/dir/new"); }},
      {"'link/x/y'", [&](auto& t) { t.symlink("link", outside).directory("link/x/y"); }},
      {"'a/up/new'", [](auto& t) { t.symlink("a/up", "../../outside").file("a/up/new"); }},
      {"'link/.wh.secret'", [&](auto& t) { t.symlink("link", outside).file("link/.wh.secret"); }},
      {"'link/.wh..wh..opq'",
       [&](auto& t) { t.symlink("link", outside).file("link/.wh..wh..opq"); }},
      {"'file/x': its name runs through 'file'", [](auto& t) { t.file("file").file("file/x"); }},
      {"'pipe/x'", [](auto& t) { t.add({.name = "pipe", .type = '6'}).file("pipe/x"); }},
      {"hard link to '/etc/passwd': its name is absolute",
       [](auto& t) { t.hard_link("x", "/etc/passwd"); }},
      {"hard link to '../outside/secret'", [](auto& t) { t.hard_link("x", "../outside/secret"); }},
      {"'x': it is a hard link to 'link/secret', which is not in this layer",
       [&](auto& t) { t.symlink("link", outside).hard_link("x", "link/secret"); }},
      {"'x': it is a hard link to 'none', which is not in this layer",
       [](auto& t) { t.hard_link("x", "none"); }},
      {"'x': it is a hard link to 'dir', which is a directory",
       [](auto& t) { t.directory("dir").hard_link("x", "dir"); }},
      {"'x': it is a hard link to 'gone', which is not in this layer",
       [](auto& t) { t.file(".wh.gone").hard_link("x", "gone"); }},
      {"'x': it is a hard link to a whiteout", [](auto& t) { t.hard_link("x", ".wh.y"); }},
      {"'dir': it is a hard link to 'dir/x', which it replaces",
       [](auto& t) { t.file("dir/x").hard_link("dir", "dir/x"); }},
      {"'null': device 0:0", [](auto& t) { t.add({.name = "null", .type = '3'}); }},
      {"'disk': device 0:0", [](auto& t) { t.add({.name = "disk", .type = '4'}); }},
      {"'.wh.': it is a whiteout of no possible name", [](auto& t) { t.file(".wh."); }},
      {"'a/.wh..'", [](auto& t) { t.file("a/.wh.."); }},
      {"'.wh...'", [](auto& t) { t.file(".wh..."); }},
      {"'.wh..wh.plnk'", [](auto& t) { t.file(".wh..wh.plnk"); }},
      {"'.wh.a/b': its name runs through a whiteout", [](auto& t) { t.file(".wh.a/b"); }},
      {"'.wh.d/': it is a whiteout, but a directory", [](auto& t) { t.directory(".wh.d/"); }},
      {"'x': its owner 4294967295:0", [](auto& t) { t.add({.name = "x", .uid = 4294967295}); }},
      {"'x': its owner",
       [](auto& t) {
         t.add({.name = "x", .pax = {{"gid", "-1"}}});
       }},
      {"'x': its access control list names 'lisa' without a number",
       [](auto& t) {
         t.add({.name = "x",
                .pax = {{"SCHILY.acl.access",
                         "user::rw-,user:lisa:rw-,group::r--,mask::rw-,"
                         "other::r--"}}});
       }},
      {"its name is absolute",
       [](auto& t) {
         t.add({.name = "x", .pax = {{"path", "/x"}}});
       }},
      {"its name has a '..'",
       [](auto& t) {
         t.add({.name = "x", .pax = {{"GNU.sparse.name", "../x"}}});
       }},
  };
  for (const auto& c : cases) {
    TarBuilder tar;
    c.make(tar);
    EXPECT_THAT(unpack_fresh(tar.bytes()), FailsWith(EINVAL, c.says)) << c.says;
  }
}

TEST_F(HostileTar, ALinkThatIsReplacedIsNotFollowed) {
  TarBuilder tar;
  tar.symlink("dir", dir / "outside").directory("dir").file("dir/secret", "mine");
  tar.symlink("file", dir / "outside/secret").file("file", "mine");
  tar.symlink("gone", dir / "outside").file(".wh.gone");
  tar.hard_link("again", "file").file("again", "other");
  ASSERT_THAT(unpack_fresh(tar.bytes()), IsOk());
  EXPECT_EQ(*read_file(dir / "layer/dir/secret"), "mine");
  EXPECT_EQ(*read_file(dir / "layer/file"), "mine");
}

TEST_F(HostileTar, NamesTooLong) {
  const std::string component(256, 'c');
  TarBuilder tar, deep;
  tar.add({.name = "x", .pax = {{"path", component}}});
  EXPECT_THAT(unpack_fresh(tar.bytes()), FailsWith(ENAMETOOLONG, "'ccc"));
  std::string levels = "d";
  for (int i = 0; i < 300'000; ++i) levels += "/d";
  deep.add({.name = "x", .pax = {{"path", levels}}});
  EXPECT_THAT(unpack_fresh(deep.bytes()), FailsWith(ENAMETOOLONG, "longer than a path"));
}

TEST_F(HostileTar, Limits) {
  TarBuilder tar;
  tar.file("a", std::string(600, 'a')).file("b", std::string(600, 'b'));
  EXPECT_THAT(unpack_fresh(tar.bytes(), {.max_bytes = 1200}), IsOk());
  EXPECT_THAT(unpack_fresh(tar.bytes(), {.max_bytes = 1199}), FailsWith(EFBIG, "'b'"));
  EXPECT_THAT(unpack_fresh(tar.bytes(), {.max_entries = 2}), IsOk());
  EXPECT_THAT(unpack_fresh(tar.bytes(), {.max_entries = 1}), FailsWith(EFBIG, "'b'"));
}

TEST_F(HostileTar, HugeSizes) {
  TarBuilder huge, sparse, negative;
  huge.add({.name = "x", .claimed_size = 1LL << 62});
  EXPECT_THAT(unpack_fresh(huge.bytes()), FailsWith(EFBIG, "'x'"));
  sparse.add({.name = "x",
              .pax = {{"GNU.sparse.major", "1"},
                      {"GNU.sparse.minor", "0"},
                      {"GNU.sparse.realsize", "9223372036854775807"}}});
  EXPECT_THAT(unpack_fresh(sparse.bytes()), ::testing::Not(IsOk()));
  negative.add({.name = "x", .pax = {{"size", "-5"}}});
  EXPECT_THAT(unpack_fresh(negative.bytes()), ::testing::Not(IsOk()));
}

// A sparse map may not put data where the file isn't.
TEST_F(HostileTar, SparseMapsBeyondTheFile) {
  const std::string map = "1\n1000000\n512\n";
  TarBuilder tar;
  tar.add(
      {.name = "x",
       .content = map + std::string(512 - map.size(), '\0') + std::string(512, 'x'),
       .pax = {
           {"GNU.sparse.major", "1"}, {"GNU.sparse.minor", "0"}, {"GNU.sparse.realsize", "1000"}}});
  EXPECT_THAT(unpack_fresh(tar.bytes()), FailsWith(EINVAL, "beyond its size"));
}

TEST_F(HostileTar, CutOffAndGarbage) {
  TarBuilder tar;
  tar.file("whole", "x").file("cut", std::string(5000, 'x'));
  const std::string bytes = tar.bytes_without_end();
  for (const size_t keep : {1UL, 511UL, 1024UL + 100, 1024UL + 512, 4000UL})
    EXPECT_THAT(unpack_fresh(bytes.substr(0, keep)), FailsWith(EINVAL)) << keep;
  EXPECT_THAT(unpack_fresh(bytes.substr(0, 4000)), FailsWith(EINVAL, "'cut'"));
  EXPECT_THAT(unpack_fresh(""), FailsWith(EINVAL, "empty"));
  EXPECT_THAT(unpack_fresh(std::string(10'000, 'g')), FailsWith(EINVAL, "damaged"));
  EXPECT_THAT(unpack_fresh(bytes + std::string(1024, 'g')), FailsWith(EINVAL, "after entry 'cut'"));
  EXPECT_THAT(unpack_fresh("\x1f\x8b\x08" + std::string(2000, 'z')), FailsWith(EINVAL));
}

TEST_F(HostileTar, ErrorsOfTheSourceComeBack) {
  class FailingSource final : public ByteSource {
    Result<size_t> read(std::span<std::byte> /*buffer*/) override {
      return fail(EILSEQ, "the digest does not match");
    }
  } source;
  ASSERT_THAT(make_dirs(dir / "layer"), IsOk());
  EXPECT_THAT(unpack_layer(source, dir / "layer"), FailsWith(EILSEQ, "the digest does not match"));
}

// A number from the environment, for those who want to search longer or elsewhere.
unsigned long setting(const char* name, unsigned long otherwise) {
  const char* value = std::getenv(name);
  return value != nullptr ? std::strtoul(value, nullptr, 10) : otherwise;
}

// Some bytes of a good tar changed, over and over: whatever comes of it, it comes as a value, and
// stays in the layer.
TEST_F(HostileTar, MutatedTars) {
  const auto tree = dir / "tree";
  ASSERT_THAT(make_dirs(tree), IsOk());
  testing::make_random_tree(tree, 7, {.entries = 14, .is_layer = true, .small_files = true});
  TarBuilder tricks;
  tricks.symlink("link", dir / "outside")
      .directory("d")
      .file("d/.wh..wh..opq")
      .hard_link("h", "link");
  const std::string seed = tricks.bytes_without_end() + testing::pack(tree);

  std::mt19937_64 random(setting("STRATA_FUZZ_SEED", 1));
  const auto until =
      std::chrono::steady_clock::now() + std::chrono::seconds(setting("STRATA_FUZZ_SECONDS", 3));
  int refused = 0, taken = 0;
  while (std::chrono::steady_clock::now() < until) {
    // Headers are where the meaning is: repair the checksum of a block that was changed.
    std::string bytes = seed;
    if (random() % 4 == 0) bytes.resize(512 * (1 + random() % (seed.size() / 512)));
    for (uint64_t changes = 1 + random() % 4; changes > 0; --changes) {
      const size_t block = 512 * (random() % (bytes.size() / 512));
      bytes[block + random() % (random() % 2 == 0 ? 265 : 512)] = static_cast<char>(random());
      if (random() % 4 == 0) bytes[block + 156] = "0123456xgLKS"[random() % 12];
      std::fill_n(bytes.begin() + static_cast<long>(block) + 148, 8, ' ');
      unsigned sum = 0;
      for (size_t at = 0; at < 512; ++at) sum += static_cast<unsigned char>(bytes[block + at]);
      for (size_t at = 6; at-- > 0; sum /= 8)
        bytes[block + 148 + at] = static_cast<char>('0' + sum % 8);
    }
    const auto result = unpack_fresh(bytes, {.max_bytes = 1 << 24, .max_entries = 1000});
    (result ? taken : refused) += 1;
  }
  RecordProperty("taken", taken);
  RecordProperty("refused", refused);
  EXPECT_GT(refused, 0);
  EXPECT_GT(taken, 0);
}

}  // namespace
}  // namespace strata::unionfs
