// Layer tars against programs that others wrote: GNU tar, umoci, and the kernel's overlayfs.
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/environment.h"
#include "tests/support/matchers.h"
#include "tests/support/temp_dir.h"
#include "tests/unionfs/random_tree.h"
#include "tests/unionfs/tar_builder.h"
#include "tests/unionfs/tree.h"
#include "tests/unionfs/umoci.h"
#include "unionfs/base/file.h"
#include "unionfs/layer_tar.h"
#include "unionfs/overlay.h"

namespace strata::unionfs {
namespace {

using std::filesystem::path;
using testing::differences;
using testing::IsOk;
using testing::make_random_tree;
using testing::pack;
using testing::run;
using testing::scan_tree;
using testing::TempDir;
using testing::unpack;

class LayerTarOracle : public ::testing::Test {
 protected:
  void SetUp() override {
    STRATA_NEEDS_ROOT();
    STRATA_NEEDS_PROGRAM("tar");
  }

  path fresh(const std::string& name) {
    EXPECT_THAT(remove_tree(dir / name), IsOk());
    EXPECT_THAT(make_dirs(dir / name), IsOk());
    return dir / name;
  }

  void gnu_extract(const path& tar, const path& to) {
    const auto done = run({"tar", "--extract", "--preserve-permissions", "--numeric-owner",
                           "--xattrs", "--xattrs-include=*", "-C", to, "-f", tar});
    EXPECT_EQ(done.status, 0) << done.err;
  }

  std::string gnu_create(const path& from, std::vector<std::string> options) {
    std::vector<std::string> argv = {"tar", "--create", "--numeric-owner"};
    argv.insert(argv.end(), options.begin(), options.end());
    argv.insert(argv.end(), {"-C", from, "-f", dir / "gnu.tar", "."});
    const auto done = run(argv);
    EXPECT_EQ(done.status, 0) << done.err;
    return read_file(dir / "gnu.tar").value_or("");
  }

  TempDir dir;
};

TEST_F(LayerTarOracle, DebianAsGnuTarUnpacksIt) {
  STRATA_NEEDS_DEBIAN();
  const auto ours = fresh("ours"), theirs = fresh("theirs");
  STRATA_ASSERT_OK(const UniqueFd tar, open_file(testing::debian_tar(), O_RDONLY));
  FdSource source(tar.get(), "debian.tar");
  STRATA_ASSERT_OK(const LayerStats unpacked, unpack_layer(source, ours));
  EXPECT_GT(unpacked.entries, 1000U);
  gnu_extract(testing::debian_tar(), theirs);
  ASSERT_EQ(differences(scan_tree(theirs), scan_tree(ours)), "");

  STRATA_ASSERT_OK(const UniqueFd packed, open_file(dir / "packed.tar", O_CREAT | O_WRONLY, 0600));
  FdSink sink(packed.get(), "packed.tar");
  STRATA_ASSERT_OK(const LayerStats stats, pack_layer(ours, sink));
  EXPECT_EQ(stats.entries, unpacked.entries);
  EXPECT_EQ(stats.bytes, unpacked.bytes);
  const auto compared =
      run({"tar", "--compare", "--numeric-owner", "-C", theirs, "-f", dir / "packed.tar"});
  EXPECT_EQ(compared.status, 0) << compared.out << compared.err;
}

TEST_F(LayerTarOracle, RandomTreesThroughOurTarsAndGnuTar) {
  // The longest names cost files their holes (FORMAT.md).
  constexpr testing::ScanOptions kOptions{.holes = false};
  for (uint64_t seed = 1; seed <= 8; ++seed) {
    const auto tree = fresh("tree");
    make_random_tree(tree, seed);
    const auto expected = scan_tree(tree, kOptions);

    const std::string packed = pack(tree);
    std::ofstream(dir / "packed.tar", std::ios::binary) << packed;
    const auto theirs = fresh("theirs");
    gnu_extract(dir / "packed.tar", theirs);
    EXPECT_EQ(differences(expected, scan_tree(theirs, kOptions)), "") << "seed " << seed;

    const auto ours = fresh("ours");
    ASSERT_THAT(unpack(packed, ours), IsOk());
    EXPECT_EQ(differences(expected, scan_tree(ours, kOptions)), "") << "seed " << seed;
    EXPECT_TRUE(pack(ours) == packed) << "seed " << seed;
  }
}

TEST_F(LayerTarOracle, RandomTreesThroughGnuTarsTars) {
  for (uint64_t seed = 101; seed <= 106; ++seed) {
    const auto tree = fresh("tree");
    make_random_tree(tree, seed);
    const auto tar =
        gnu_create(tree, {"--format=pax", "--sparse", "--xattrs", "--xattrs-include=*", "--acls"});
    const auto ours = fresh("ours");
    ASSERT_THAT(unpack(tar, ours), IsOk()) << "seed " << seed;
    EXPECT_EQ(differences(scan_tree(tree), scan_tree(ours)), "") << "seed " << seed;
  }
}

TEST_F(LayerTarOracle, RandomLayersKeepTheirWhiteouts) {
  constexpr testing::ScanOptions kOptions{.holes = false, .whiteout_attributes = false};
  for (uint64_t seed = 201; seed <= 206; ++seed) {
    const auto layer = fresh("layer"), back = fresh("back");
    make_random_tree(layer, seed, {.is_layer = true});
    const std::string packed = pack(layer);
    ASSERT_THAT(unpack(packed, back), IsOk()) << "seed " << seed;
    EXPECT_EQ(differences(scan_tree(layer, kOptions), scan_tree(back, kOptions)), "")
        << "seed " << seed;
    EXPECT_TRUE(pack(back) == packed) << "seed " << seed;
  }
}

// All the ways that GNU tar has to write a sparse file.
TEST_F(LayerTarOracle, SparseFormats) {
  const auto tree = fresh("tree");
  for (const char* name : {"one", "two"}) {
    std::ofstream file(tree / name, std::ios::binary);
    for (std::streamoff i = 0; i < 30; ++i) file.seekp(i * 1'000'000) << "piece " << i;
    file.close();
    std::filesystem::resize_file(tree / name, 40'000'000);
  }
  std::ofstream(tree / "hole", std::ios::binary).close();
  std::filesystem::resize_file(tree / "hole", 5'000'000);
  const auto expected = scan_tree(tree);
  const std::vector<std::vector<std::string>> formats = {{"--format=pax", "--sparse-version=0.0"},
                                                         {"--format=pax", "--sparse-version=0.1"},
                                                         {"--format=pax", "--sparse-version=1.0"},
                                                         {"--format=gnu"},
                                                         {"--format=oldgnu"}};
  for (auto options : formats) {
    options.emplace_back("--sparse");
    const auto tar = gnu_create(tree, options);
    EXPECT_LT(tar.size(), 3'000'000U);
    const auto ours = fresh("ours");
    ASSERT_THAT(unpack(tar, ours), IsOk()) << options[0] << options[1];
    // GNU's own formats have no fractions of seconds.
    for (const auto& [name, text] : scan_tree(ours)) {
      if (name == ".") continue;
      const auto content = [](const std::string& line) {
        return line.substr(line.find(" bytes") - 8);
      };
      EXPECT_EQ(content(text), content(expected.at(name))) << name << options[0] << options[1];
    }
  }
}

TEST_F(LayerTarOracle, AccessControlListsFromGnuTar) {
  STRATA_NEEDS_PROGRAM("setfacl");
  const auto tree = fresh("tree"), ours = fresh("ours");
  dir.write("tree/file", "x");
  ASSERT_THAT(make_dirs(tree / "dir"), IsOk());
  const auto set =
      run({"setfacl", "-m", "u:12345:rw,g:54321:r,u:0:rwx", tree / "file", tree / "dir"});
  if (set.status != 0) GTEST_SKIP() << "no access control lists here: " << set.err;
  ASSERT_EQ(run({"setfacl", "-d", "-m", "u:777:rwx,o::-", tree / "dir"}).status, 0);
  ASSERT_THAT(unpack(gnu_create(tree, {"--format=pax", "--acls"}), ours), IsOk());
  EXPECT_EQ(differences(scan_tree(tree), scan_tree(ours)), "");
  // Ours carry them as extended attributes.
  const auto back = fresh("back");
  ASSERT_THAT(unpack(pack(ours), back), IsOk());
  EXPECT_EQ(differences(scan_tree(tree), scan_tree(back)), "");
}

// umoci applies layers one upon the other into one directory; we stack them. Both must show the
// same tree.
TEST_F(LayerTarOracle, UmociSeesTheSameUnion) {
  STRATA_NEEDS_PROGRAM("umoci");
  ASSERT_TRUE(testing::enter_private_namespaces());
  const auto lower = fresh("lower"), upper = fresh("upper");
  make_random_tree(lower, 301, {.empty_xattrs = false});
  for (const char* name : {"gone", "opaque/old", "merged/old", "tree/sub/old"})
    dir.write("lower/" + std::string(name), "lower");
  for (const char* name : {"opaque/new", "merged/new"})
    dir.write("upper/" + std::string(name), "upper");
  ASSERT_EQ(::mknod((upper / "gone").c_str(), S_IFCHR, 0), 0);
  ASSERT_EQ(::mknod((upper / "tree").c_str(), S_IFCHR, 0), 0);
  ASSERT_EQ(::setxattr((upper / "opaque").c_str(), "trusted.overlay.opaque", "y", 1, 0), 0);
  std::ofstream(dir / "lower.tar", std::ios::binary) << pack(lower);
  std::ofstream(dir / "upper.tar", std::ios::binary) << pack(upper);

  ASSERT_NO_FATAL_FAILURE(unpack_by_umoci(dir.path(), {dir / "lower.tar", dir / "upper.tar"}));

  std::vector<path> layers;
  for (const std::string name : {"upper", "lower"}) {
    const auto layer = dir / ("layer-" + name);
    ASSERT_THAT(unpack(*read_file(dir / (name + ".tar"), size_t{1} << 30), layer), IsOk());
    layers.push_back(layer);
  }
  STRATA_ASSERT_OK(const auto stack, LayerStack::open(layers));
  STRATA_ASSERT_OK(const auto mount, mount_overlay(stack, std::nullopt));
  ASSERT_THAT(make_dirs(dir / "merged"), IsOk());
  ASSERT_THAT(attach_mount(mount.get(), dir / "merged"), IsOk());
  // umoci writes sparse files out.
  constexpr testing::ScanOptions kOptions{.holes = false};
  EXPECT_EQ(differences(scan_tree(dir / "umoci", kOptions), scan_tree(dir / "merged", kOptions)),
            "");

  // The merged tree as a tar: `export`.
  STRATA_ASSERT_OK(const UniqueFd tar, open_file(dir / "export.tar", O_CREAT | O_WRONLY, 0600));
  FdSink sink(tar.get(), "export.tar");
  ASSERT_THAT(pack_tree(dir / "merged", sink), IsOk());
  const auto exported = fresh("exported");
  gnu_extract(dir / "export.tar", exported);
  EXPECT_EQ(differences(scan_tree(dir / "merged", kOptions), scan_tree(exported, kOptions)), "");
  EXPECT_EQ(::umount2((dir / "merged").c_str(), MNT_DETACH), 0);
}

}  // namespace
}  // namespace strata::unionfs
