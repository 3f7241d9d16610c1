// What becomes of a tar's entries in a layer.
#include <fcntl.h>
#include <locale.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <string>

#include <gtest/gtest.h>

#include "tests/support/environment.h"
#include "tests/support/matchers.h"
#include "tests/support/temp_dir.h"
#include "tests/unionfs/tar_builder.h"
#include "tests/unionfs/tree.h"
#include "unionfs/base/file.h"
#include "unionfs/layer_tar.h"
#include "unionfs/overlay.h"

namespace strata::unionfs {
namespace {

using testing::IsOk;
using testing::StringSource;
using testing::TarBuilder;
using testing::TempDir;
using testing::unpack;

struct stat stat_of(const std::filesystem::path& path) {
  struct stat st {};
  EXPECT_EQ(::lstat(path.c_str(), &st), 0) << path;
  return st;
}

std::string xattr_of(const std::filesystem::path& path, const char* name) {
  std::string value(4096, '\0');
  const ssize_t size = ::lgetxattr(path.c_str(), name, value.data(), value.size());
  if (size < 0) return "<" + errno_name(errno) + ">";
  value.resize(static_cast<size_t>(size));
  return value;
}

bool is_whiteout(const std::filesystem::path& path) {
  const auto st = stat_of(path);
  return S_ISCHR(st.st_mode) && st.st_rdev == 0;
}

bool is_opaque(const std::filesystem::path& path) {
  return xattr_of(path, "trusted.overlay.opaque") == "y";
}

class Unpack : public ::testing::Test {
 protected:
  void SetUp() override { STRATA_NEEDS_ROOT(); }

  TempDir dir;
  const std::filesystem::path layer = dir / "layer";
};

TEST_F(Unpack, EveryTypeWithItsAttributes) {
  TarBuilder tar;
  tar.add({.name = "./", .type = '5', .mode = 0711, .uid = 3})
      .add({.name = "etc/", .type = '5', .mode = 02755, .gid = 42, .mtime = 77})
      .add({.name = "etc/su", .content = "text", .mode = 06755, .uid = 1000, .gid = 100000})
      .add({.name = "etc/link", .type = '2', .link = "../some where", .mode = 0777, .uid = 5})
      .add({.name = "null", .type = '3', .mode = 0666, .major = 1, .minor = 3})
      .add({.name = "disk", .type = '4', .mode = 0660, .gid = 6, .major = 259, .minor = 70000})
      .add({.name = "pipe", .type = '6', .mode = 0622})
      .hard_link("etc/again", "./etc/su");
  STRATA_ASSERT_OK(const LayerStats stats, unpack(tar.bytes(), layer));
  EXPECT_EQ(stats.entries, 8U);
  EXPECT_EQ(stats.bytes, 4U);
  EXPECT_EQ(stats.whiteouts, 0U);

  EXPECT_EQ(stat_of(layer).st_mode, S_IFDIR | 0711U);
  EXPECT_EQ(stat_of(layer).st_uid, 3U);
  EXPECT_EQ(stat_of(layer / "etc").st_mode, S_IFDIR | 02755U);
  EXPECT_EQ(stat_of(layer / "etc").st_mtime, 77);
  const auto su = stat_of(layer / "etc/su");
  EXPECT_EQ(su.st_mode, S_IFREG | 06755U);
  EXPECT_EQ(su.st_uid, 1000U);
  EXPECT_EQ(su.st_gid, 100000U);
  EXPECT_EQ(su.st_mtime, 1'000'000'000);
  EXPECT_EQ(*read_file(layer / "etc/su"), "text");
  EXPECT_EQ(std::filesystem::read_symlink(layer / "etc/link"), "../some where");
  EXPECT_EQ(stat_of(layer / "etc/link").st_uid, 5U);
  EXPECT_EQ(stat_of(layer / "etc/link").st_mtime, 1'000'000'000);
  EXPECT_EQ(stat_of(layer / "null").st_mode, S_IFCHR | 0666U);
  EXPECT_EQ(stat_of(layer / "null").st_rdev, makedev(1, 3));
  EXPECT_EQ(stat_of(layer / "disk").st_rdev, makedev(259, 70000));
  EXPECT_EQ(stat_of(layer / "pipe").st_mode, S_IFIFO | 0622U);
  EXPECT_EQ(stat_of(layer / "etc/again").st_ino, su.st_ino);
}

TEST_F(Unpack, MissingParentsAreMadeTheSameEveryTime) {
  TarBuilder tar;
  tar.file("a/b/c");
  ASSERT_THAT(unpack(tar.bytes(), layer), IsOk());
  for (const char* name : {".", "a", "a/b"}) {
    const auto st = stat_of(layer / name);
    EXPECT_EQ(st.st_mode, S_IFDIR | 0755U) << name;
    EXPECT_EQ(st.st_uid, 0U) << name;
    EXPECT_EQ(st.st_mtime, 0) << name;
  }
}

// A default ACL, a setgid bit, a missing write or search permission of a directory are for those
// who use the layer; they don't touch what is unpacked into it.
TEST_F(Unpack, DirectoriesDontColourWhatIsInThem) {
  TarBuilder tar;
  tar.add({.name = "d/",
           .type = '5',
           .mode = 02000,
           .gid = 7,
           .mtime = 5,
           .pax = {{"SCHILY.acl.default", "user::rwx,user:1:rwx,group::rwx,mask::rwx,other::rwx"},
                   {"SCHILY.xattr.user.note", "x"}}})
      .file("d/file")
      .directory("d/sub")
      .file("d/sub/file");
  ASSERT_THAT(unpack(tar.bytes(), layer), IsOk());
  EXPECT_EQ(stat_of(layer / "d").st_mode, S_IFDIR | 02000U);
  EXPECT_EQ(stat_of(layer / "d").st_mtime, 5);
  EXPECT_EQ(xattr_of(layer / "d", "user.note"), "x");
  EXPECT_EQ(stat_of(layer / "d/file").st_gid, 0U);
  EXPECT_EQ(stat_of(layer / "d/file").st_mode, S_IFREG | 0644U);
  EXPECT_EQ(xattr_of(layer / "d/file", "system.posix_acl_access"), "<ENODATA>");
  EXPECT_EQ(stat_of(layer / "d/sub").st_mode, S_IFDIR | 0755U);
  EXPECT_EQ(xattr_of(layer / "d/sub", "system.posix_acl_default"), "<ENODATA>");
}

TEST_F(Unpack, LaterEntriesReplaceEarlierOnes) {
  TarBuilder tar;
  tar.file("file", "old").hard_link("other", "file").file("file", "new");
  tar.directory("merged").file("merged/one").directory("merged", 0700).file("merged/two");
  tar.directory("gone/with").file("gone/with/all").file("gone", "file now");
  tar.file("back/then").file("back", "file").directory("back").file("back/now");
  tar.symlink("link", "file").file("link", "no longer a link");
  tar.file("same").hard_link("same", "same");
  ASSERT_THAT(unpack(tar.bytes(), layer), IsOk());
  EXPECT_EQ(*read_file(layer / "file"), "new");
  EXPECT_EQ(*read_file(layer / "other"), "old");
  EXPECT_EQ(stat_of(layer / "merged").st_mode, S_IFDIR | 0700U);
  EXPECT_TRUE(std::filesystem::exists(layer / "merged/one"));
  EXPECT_TRUE(std::filesystem::exists(layer / "merged/two"));
  EXPECT_EQ(*read_file(layer / "gone"), "file now");
  // What a lower layer has in `back` was hidden by the file and stays hidden.
  EXPECT_FALSE(std::filesystem::exists(layer / "back/then"));
  EXPECT_TRUE(std::filesystem::exists(layer / "back/now"));
  EXPECT_TRUE(is_opaque(layer / "back"));
  EXPECT_FALSE(is_opaque(layer / "merged"));
  EXPECT_EQ(*read_file(layer / "link"), "no longer a link");
}

TEST_F(Unpack, WhiteoutsHideOnlyLowerLayers) {
  TarBuilder tar;
  tar.file("dir/.wh.gone").file(".wh.a b");
  tar.file("first").file(".wh.first").file(".wh.second").file("second");
  tar.directory("tree").file("tree/x").file(".wh.tree");
  tar.file(".wh.wood").file("wood/y");
  tar.file(".wh.twice").file(".wh.twice");
  STRATA_ASSERT_OK(const LayerStats stats, unpack(tar.bytes(), layer));
  EXPECT_EQ(stats.whiteouts, 8U);
  EXPECT_TRUE(is_whiteout(layer / "dir/gone"));
  EXPECT_TRUE(is_whiteout(layer / "a b"));
  EXPECT_TRUE(is_whiteout(layer / "twice"));
  EXPECT_TRUE(S_ISREG(stat_of(layer / "first").st_mode));
  EXPECT_TRUE(S_ISREG(stat_of(layer / "second").st_mode));
  // Of a directory that is there, a whiteout hides what is below.
  EXPECT_TRUE(is_opaque(layer / "tree"));
  EXPECT_TRUE(std::filesystem::exists(layer / "tree/x"));
  EXPECT_TRUE(is_opaque(layer / "wood"));
  EXPECT_TRUE(std::filesystem::exists(layer / "wood/y"));
}

TEST_F(Unpack, OpaqueMarkersInAnyOrder) {
  TarBuilder tar;
  tar.file("before/.wh..wh..opq").directory("before", 0700).file("before/x");
  tar.directory("after").file("after/x").file("after/.wh..wh..opq");
  tar.file("alone/.wh..wh..opq");
  ASSERT_THAT(unpack(tar.bytes(), layer), IsOk());
  for (const char* name : {"before", "after", "alone"}) EXPECT_TRUE(is_opaque(layer / name));
  EXPECT_EQ(stat_of(layer / "before").st_mode, S_IFDIR | 0700U);
  EXPECT_TRUE(std::filesystem::exists(layer / "before/x"));
  EXPECT_TRUE(std::filesystem::exists(layer / "after/x"));
}

// The judge is the kernel: lower layer, converted layer on top, and what overlayfs makes of them.
TEST_F(Unpack, TheKernelAgrees) {
  ASSERT_TRUE(testing::enter_private_namespaces());
  TarBuilder lower, upper;
  for (const char* name : {"gone", "stays", "opaque/old", "tree/old", "merged/old", "file/old"})
    lower.file(name, "lower");
  upper.file(".wh.gone").file("opaque/new").file("opaque/.wh..wh..opq").file("merged/new");
  upper.file(".wh.tree").file("tree/new").file("file", "upper");
  ASSERT_THAT(unpack(lower.bytes(), dir / "lower"), IsOk());
  ASSERT_THAT(unpack(upper.bytes(), layer), IsOk());
  STRATA_ASSERT_OK(const auto stack, LayerStack::open({layer, dir / "lower"}));
  STRATA_ASSERT_OK(const auto mount, mount_overlay(stack, std::nullopt));
  const auto merged = dir / "merged";
  ASSERT_THAT(make_dirs(merged), IsOk());
  ASSERT_THAT(attach_mount(mount.get(), merged), IsOk());
  std::string seen;
  for (const auto& [path, text] : testing::scan_tree(merged, {.root = false})) seen += path + " ";
  EXPECT_EQ(seen, "file merged merged/new merged/old opaque opaque/new stays tree tree/new ");
  EXPECT_EQ(::umount2(merged.c_str(), MNT_DETACH), 0);
}

TEST_F(Unpack, AnOpaqueRootHidesAllLayersBelow) {
  TarBuilder tar;
  tar.file(".wh..wh..opq").file("only");
  ASSERT_THAT(unpack(tar.bytes(), layer), IsOk());
  dir.write("lower/file", "");
  STRATA_ASSERT_OK(const auto stack, LayerStack::open({layer, dir / "lower"}));
  EXPECT_EQ(stack.size(), 1U);
}

// Names are bytes, whatever the locale of the program.
TEST_F(Unpack, NamesKeepTheirBytes) {
  const std::string names[] = {
      "\xc3\xbc",  "e\xcc\x81",          "\xe9latin", "\xff\xfe\x01", "\xed\xa0\x80\xed\xb0\x80",
      "new\nline", std::string(255, 'n')};
  for (const char* locale : {"C", "C.UTF-8"}) {
    ::setlocale(LC_ALL, locale);
    TarBuilder tar;
    for (const auto& name : names) {
      tar.add({.name = "x", .pax = {{"path", "pax/" + name}}});
      tar.add({.name = "x",
               .type = '2',
               .pax = {{"path", "l" + name.substr(0, 99)}, {"linkpath", name}}});
      if (name.size() < 90) tar.file("ustar/" + name);
      tar.add({.name = "././@LongLink", .type = 'L', .content = "gnu/" + name + '\0'}).file("x");
    }
    const auto target = dir / locale;
    EXPECT_THAT(unpack(tar.bytes(), target), IsOk());
    for (const auto& name : names) {
      EXPECT_TRUE(std::filesystem::exists(target / "pax" / name)) << name << " in " << locale;
      EXPECT_TRUE(std::filesystem::exists(target / "gnu" / name)) << name << " in " << locale;
      EXPECT_TRUE(name.size() > 90 || std::filesystem::exists(target / "ustar" / name)) << name;
      EXPECT_EQ(std::filesystem::read_symlink(target / ("l" + name.substr(0, 99))).native(), name);
    }
  }
  ::setlocale(LC_ALL, "C");
}

TEST_F(Unpack, LongPaths) {
  std::string path = std::string(250, 'p');
  for (int i = 0; i < 14; ++i) path += "/" + std::string(250, 'q');
  TarBuilder tar;
  tar.add({.name = "x", .content = "deep", .pax = {{"path", path}}})
      .add({.name = "y", .type = '1', .pax = {{"linkpath", path}}});
  ASSERT_THAT(unpack(tar.bytes(), layer), IsOk());
  EXPECT_EQ(*read_file(layer / "y"), "deep");
}

TEST_F(Unpack, ExtendedAttributes) {
  // A file capability (cap_net_raw=ep) as it is on disk: NULs and all.
  const std::string capability("\x01\0\0\x02\0\x20\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20);
  TarBuilder tar;
  tar.add({.name = "ping",
           .content = "x",
           .mode = 04755,
           .uid = 1,
           .pax = {{"SCHILY.xattr.security.capability", capability},
                   {"SCHILY.xattr.user.empty", ""},
                   {"SCHILY.xattr.user.50%25%3D", "percent"},
                   {"SCHILY.xattr.user.binary", std::string("a\nb\0c=d", 7)},
                   {"LIBARCHIVE.xattr.user.base64", "eHl6"},
                   {"SCHILY.xattr.trusted.overlay.redirect", "/etc"},
                   {"SCHILY.xattr.trusted.overlay.overlay.opaque", "y"},
                   {"SCHILY.xattr.user.overlay.opaque", "y"}}})
      .add({.name = "link",
            .type = '2',
            .link = "ping",
            .pax = {{"SCHILY.xattr.trusted.note", "on a link"}}})
      .add({.name = "dir",
            .type = '5',
            .pax = {{"SCHILY.xattr.trusted.overlay.opaque", "y"},
                    {"SCHILY.xattr.trusted.note", "on a dir"}}});
  ASSERT_THAT(unpack(tar.bytes(), layer), IsOk());
  EXPECT_EQ(xattr_of(layer / "ping", "security.capability"), capability);
  EXPECT_EQ(stat_of(layer / "ping").st_mode, S_IFREG | 04755U);
  EXPECT_EQ(xattr_of(layer / "ping", "user.empty"), "");
  EXPECT_EQ(xattr_of(layer / "ping", "user.50%="), "percent");
  EXPECT_EQ(xattr_of(layer / "ping", "user.binary"), std::string("a\nb\0c=d", 7));
  EXPECT_EQ(xattr_of(layer / "ping", "user.base64"), "xyz");
  EXPECT_EQ(xattr_of(layer / "ping", "trusted.overlay.redirect"), "<ENODATA>");
  EXPECT_EQ(xattr_of(layer / "ping", "trusted.overlay.overlay.opaque"), "<ENODATA>");
  EXPECT_EQ(xattr_of(layer / "ping", "user.overlay.opaque"), "<ENODATA>");
  EXPECT_EQ(xattr_of(layer / "link", "trusted.note"), "on a link");
  EXPECT_EQ(xattr_of(layer / "dir", "trusted.note"), "on a dir");
  EXPECT_FALSE(is_opaque(layer / "dir"));
}

TEST_F(Unpack, TimesHaveNanosecondsAndMayBeOld) {
  TarBuilder tar;
  tar.add({.name = "new", .pax = {{"mtime", "1700000000.123456789"}}})
      .add({.name = "old", .pax = {{"mtime", "-86400"}}})
      .add({.name = "dir", .type = '5', .pax = {{"mtime", "5.5"}}})
      .file("dir/x");
  ASSERT_THAT(unpack(tar.bytes(), layer), IsOk());
  EXPECT_EQ(stat_of(layer / "new").st_mtim.tv_nsec, 123456789);
  EXPECT_EQ(stat_of(layer / "old").st_mtim.tv_sec, -86400);
  EXPECT_EQ(stat_of(layer / "dir").st_mtim.tv_nsec, 500'000'000);
}

TEST_F(Unpack, OldTarsMarkDirectoriesByASlash) {
  TarBuilder tar;
  tar.file("dir/").file("dir/x");
  ASSERT_THAT(unpack(tar.bytes(), layer), IsOk());
  EXPECT_TRUE(std::filesystem::is_directory(layer / "dir"));
}

TEST_F(Unpack, ReadsTheSourceToItsEnd) {
  TarBuilder tar;
  tar.file("x", std::string(1000, 'x'));
  for (const size_t chunk : {1UL, 511UL, 100'000UL}) {
    ASSERT_THAT(make_dirs(layer), IsOk());
    StringSource source(tar.bytes() + std::string(300'000, 't'), chunk);
    ASSERT_THAT(unpack_layer(source, layer), IsOk());
    EXPECT_TRUE(source.at_end());
  }
}

TEST_F(Unpack, AnEmptyTarIsAnEmptyLayer) {
  STRATA_ASSERT_OK(const LayerStats stats, unpack(std::string(1024, '\0'), layer));
  EXPECT_EQ(stats.entries, 0U);
  EXPECT_EQ(stat_of(layer).st_mode, S_IFDIR | 0755U);
}

}  // namespace
}  // namespace strata::unionfs
