// What becomes of a layer directory in a tar.
#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/environment.h"
#include "tests/support/matchers.h"
#include "tests/support/temp_dir.h"
#include "tests/unionfs/tar_builder.h"
#include "tests/unionfs/tree.h"
#include "unionfs/base/file.h"
#include "unionfs/layer_tar.h"

namespace strata::unionfs {
namespace {

using testing::FailsWith;
using testing::IsOk;
using testing::pack;
using testing::StringSink;
using testing::TempDir;
using testing::unpack;

void set_xattr(const std::filesystem::path& path, const char* name, const std::string& value) {
  ASSERT_EQ(::lsetxattr(path.c_str(), name, value.data(), value.size(), 0), 0) << path << name;
}

void set_time(const std::filesystem::path& path, time_t seconds, long nanoseconds) {
  const timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {seconds, nanoseconds}};
  ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW), 0);
}

// The names in a tar, in order.
std::vector<std::string> names_in(const std::string& tar) {
  std::vector<std::string> names;
  archive* reader = ::archive_read_new();
  ::archive_read_support_format_tar(reader);
  ::archive_read_open_memory(reader, tar.data(), tar.size());
  archive_entry* entry = nullptr;
  while (::archive_read_next_header(reader, &entry) == ARCHIVE_OK)
    names.emplace_back(::archive_entry_pathname(entry));
  ::archive_read_free(reader);
  return names;
}

class Pack : public ::testing::Test {
 protected:
  void SetUp() override {
    STRATA_NEEDS_ROOT();
    ASSERT_THAT(make_dirs(layer), IsOk());
  }

  Result<LayerStats> try_pack(StringSink& sink) { return pack_layer(layer, sink); }
  Result<LayerStats> try_pack() {
    StringSink sink;
    return pack_layer(layer, sink);
  }

  // What the layer is after a way through a tar and back.
  std::string round_trip() {
    const auto back = dir / "back";
    EXPECT_THAT(unpack(pack(layer), back), IsOk());
    constexpr testing::ScanOptions kOptions{.whiteout_attributes = false};
    return testing::differences(testing::scan_tree(layer, kOptions),
                                testing::scan_tree(back, kOptions));
  }

  TempDir dir;
  const std::filesystem::path layer = dir / "layer";
};

TEST_F(Pack, EverythingSurvivesTheRoundTrip) {
  dir.write("layer/etc/su", "content");
  ASSERT_EQ(::chown((layer / "etc/su").c_str(), 1000, 4'000'000'000U), 0);
  ASSERT_EQ(::chmod((layer / "etc/su").c_str(), 06711), 0);
  set_xattr(layer / "etc/su", "user.binary", std::string("a\0\n=", 4));
  set_xattr(layer / "etc/su", "user.odd name=%\xc3\xbc", "");
  set_xattr(layer / "etc/su", "user.a", "b");
  ASSERT_EQ(::link((layer / "etc/su").c_str(), (layer / "again").c_str()), 0);
  ASSERT_EQ(::symlink("\xff away", (layer / "link").c_str()), 0);
  ASSERT_EQ(::link((layer / "link").c_str(), (layer / "link too").c_str()), 0);
  set_xattr(layer / "link", "trusted.note", "on a link");
  ASSERT_EQ(::mknod((layer / "disk").c_str(), S_IFBLK | 0640, makedev(259, 1'000'000)), 0);
  ASSERT_EQ(::mkfifo((layer / "pipe").c_str(), 0600), 0);
  for (const char* name : {"\xc3\xbc", "e\xcc\x81", "\xff\xfe", "new\nline", "with space", "-dash"})
    dir.write("layer/names/" + std::string(name), name);
  std::string deep = "layer";
  for (int i = 0; i < 12; ++i) deep += "/" + std::string(250, 'd');
  dir.write(deep + "/file", "deep");
  set_time(layer / "link", 1, 2);
  set_time(layer / "etc", -5, 999'999'999);
  set_time(layer, 1'700'000'000, 1);
  EXPECT_EQ(round_trip(), "");
}

TEST_F(Pack, WhiteoutsAndOpaqueDirectories) {
  ASSERT_EQ(::mknod((layer / "gone").c_str(), S_IFCHR, 0), 0);
  dir.write("layer/opaque/new", "");
  set_xattr(layer / "opaque", "trusted.overlay.opaque", "y");
  set_xattr(layer / "opaque", "trusted.overlay.origin", "where it was copied up from");
  StringSink sink;
  STRATA_ASSERT_OK(const LayerStats stats, try_pack(sink));
  EXPECT_EQ(stats.whiteouts, 2U);
  EXPECT_EQ(stats.entries, 5U);
  EXPECT_EQ(
      names_in(sink.bytes()),
      (std::vector<std::string>{"./", ".wh.gone", "opaque/", "opaque/.wh..wh..opq", "opaque/new"}));
  ASSERT_EQ(::removexattr((layer / "opaque").c_str(), "trusted.overlay.origin"), 0);
  EXPECT_EQ(round_trip(), "");
}

// Linux 6.7's whiteouts that need no device.
TEST_F(Pack, WhiteoutsInTheXattrForm) {
  dir.write("layer/d/gone", "");
  set_xattr(layer / "d", "trusted.overlay.opaque", "x");
  set_xattr(layer / "d/gone", "trusted.overlay.whiteout", "y");
  EXPECT_EQ(names_in(pack(layer)), (std::vector<std::string>{"./", "d/", "d/.wh.gone"}));
}

TEST_F(Pack, DirectoriesFirstThenTheirEntriesInByteOrder) {
  for (const char* name : {"b", "a/2", "a/10", "a-b", "B", "a/2x/1"})
    dir.write("layer/" + std::string(name), "");
  EXPECT_EQ(names_in(pack(layer)), (std::vector<std::string>{"./", "B", "a/", "a/10", "a/2",
                                                             "a/2x/", "a/2x/1", "a-b", "b"}));
}

TEST_F(Pack, SameTreeSameBytes) {
  for (const char* name : {"one", "two", "three"}) {
    dir.write("layer/" + std::string(name), name);
    set_xattr(layer / name, "user.b", "1");
    set_xattr(layer / name, "user.a", "2");
  }
  const std::string first = pack(layer);
  const auto copy = dir / "copy";
  ASSERT_THAT(unpack(first, copy), IsOk());
  std::filesystem::rename(copy / "one", copy / "x");  // another order in the directory
  std::filesystem::rename(copy / "x", copy / "one");
  struct stat st {};
  ASSERT_EQ(::stat(layer.c_str(), &st), 0);
  set_time(copy, st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
  EXPECT_TRUE(pack(copy) == first);
}

TEST_F(Pack, SparseFilesStaySparse) {
  constexpr off_t kGiant = off_t{1} << 40;
  const auto make = [&](const char* name, off_t size, const std::vector<off_t>& at) {
    const UniqueFd fd(::open((layer / name).c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
    ASSERT_TRUE(fd);
    ASSERT_EQ(::ftruncate(fd.get(), size), 0);
    for (const off_t offset : at) ASSERT_EQ(::pwrite(fd.get(), "data", 4, offset), 4);
  };
  make("empty", kGiant, {});
  make("middle", kGiant, {kGiant / 2});
  make("ends", 10'000'000, {0, 9'999'996});
  make("many", 1'000'000'000, {0, 1'000'000, 2'000'000, 500'000'000, 700'000'000});
  make("none", 100'000, {0, 4096, 8192});
  const std::string tar = pack(layer);
  EXPECT_LT(tar.size(), 1'000'000U);
  const auto back = dir / "back";
  ASSERT_THAT(unpack(tar, back, {.max_bytes = uint64_t{8} << 40}), IsOk());
  EXPECT_EQ(testing::differences(testing::scan_tree(layer), testing::scan_tree(back)), "");
}

// Where a tar can't keep both a long name and the holes, it keeps the name.
TEST_F(Pack, SparseFilesOfAllNameLengths) {
  std::vector<std::string> names;
  for (const size_t length : {98, 99, 100, 101, 150, 254, 255}) {
    names.emplace_back(length, 'n');
    names.push_back("\xc3\xbc" + std::string(length - 2, 'n'));
    for (const size_t directory : {50, 154, 155, 156, 200})
      names.push_back(std::string(directory, 'd') + "/" + std::string(length, 'n'));
  }
  for (const auto& name : names) {
    dir.write("layer/" + name, name);
    std::filesystem::resize_file(layer / name, 1'000'000);
  }
  const auto back = dir / "back";
  ASSERT_THAT(unpack(pack(layer), back), IsOk());
  constexpr testing::ScanOptions kOptions{.holes = false};
  EXPECT_EQ(
      testing::differences(testing::scan_tree(layer, kOptions), testing::scan_tree(back, kOptions)),
      "");
}

TEST_F(Pack, SocketsAreLeftOut) {
  const UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_TRUE(fd);
  sockaddr_un address{.sun_family = AF_UNIX};
  (layer / "socket").native().copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  EXPECT_EQ(names_in(pack(layer)), std::vector<std::string>{"./"});
}

TEST_F(Pack, RefusesWhatATarCannotSay) {
  dir.write("layer/.wh.file", "");
  EXPECT_THAT(try_pack(), FailsWith(EINVAL, "'.wh.file'"));
  std::filesystem::remove(layer / ".wh.file");
  dir.write("layer/moved/file", "");
  set_xattr(layer / "moved", "trusted.overlay.redirect", "/elsewhere");
  EXPECT_THAT(try_pack(), FailsWith(EINVAL, "pack 'moved': it refers to another layer"));
  std::filesystem::remove_all(layer / "moved");
  dir.write("layer/\xed\xa0\x80\xed\xb0\x80", "");
  EXPECT_THAT(try_pack(), FailsWith(EINVAL, "surrogates"));
}

// A container can make trees deeper than there are descriptors, and deeper than a path can say.
TEST_F(Pack, DeepTrees) {
  UniqueFd at(::open(layer.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  ASSERT_TRUE(at);
  const auto deepen = [&](int levels, const std::string& name) {
    for (int i = 0; i < levels; ++i) {
      ASSERT_EQ(::mkdirat(at.get(), name.c_str(), 0755), 0);
      at.reset(::openat(at.get(), name.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
      ASSERT_TRUE(at);
    }
  };
  deepen(100, "d");
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  const rlimit few{.rlim_cur = 32, .rlim_max = limit.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  StringSink sink;
  const auto stats = try_pack(sink);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
  ASSERT_THAT(stats, IsOk());
  EXPECT_EQ(stats->entries, 101U);
  deepen(20, std::string(250, 'd'));
  EXPECT_THAT(try_pack(), FailsWith(ENAMETOOLONG));
}

TEST_F(Pack, MergedTreesHaveNoWhiteouts) {
  dir.write("layer/.wh.file", "kept as it is");
  StringSink sink;
  EXPECT_THAT(pack_tree(layer, sink), IsOk());
  ASSERT_EQ(::mknod((layer / "gone").c_str(), S_IFCHR, 0), 0);
  EXPECT_THAT(pack_tree(layer, sink), FailsWith(EINVAL, "'gone': a whiteout"));
}

TEST_F(Pack, ErrorsOfTheSinkComeBack) {
  class FullSink final : public ByteSink {
    Result<void> write(std::span<const std::byte> /*data*/) override {
      return fail(ENOSPC, "the disk is full");
    }
  } sink;
  dir.write("layer/big", std::string(2'000'000, 'x'));
  EXPECT_THAT(pack_layer(layer, sink), FailsWith(ENOSPC, "the disk is full"));
}

}  // namespace
}  // namespace strata::unionfs
