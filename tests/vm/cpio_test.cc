// The initramfs archive, read back by GNU cpio.

#include "runtime/vm/cpio.h"

#include <filesystem>

#include <gtest/gtest.h>

#include "tests/support/environment.h"
#include "tests/support/matchers.h"
#include "tests/support/temp_dir.h"
#include "unionfs/base/file.h"

namespace strata::vm {
namespace {

Completed cpio(const std::filesystem::path& dir, const std::vector<std::string>& options,
               const std::string& archive) {
  std::vector<std::string> argv{"cpio", "--quiet", "-D", dir};
  argv.insert(argv.end(), options.begin(), options.end());
  return testing::run(argv, archive);
}

TEST(Cpio, IsListedByGnuCpio) {
  STRATA_NEEDS_PROGRAM("cpio");
  CpioWriter writer;
  writer.add_directory("modules");
  writer.add_file("modules/a", "x");
  writer.add_file("init", "abc", 0755);
  const testing::TempDir dir;
  const auto listed = cpio(dir.path(), {"-t"}, std::move(writer).finish());
  EXPECT_EQ(listed.status, 0) << listed.err;
  EXPECT_EQ(listed.out, "modules\nmodules/a\ninit\n");
}

TEST(Cpio, KeepsContentOfEveryLengthAndModes) {
  STRATA_NEEDS_PROGRAM("cpio");
  CpioWriter writer;
  std::string content("\0\n\xff", 3);
  for (int i = 0; i < 9; ++i) {
    writer.add_file("file" + std::string(static_cast<size_t>(i), 'x'), content, 0640);
    content.push_back(static_cast<char>('a' + i));
  }
  const testing::TempDir dir;
  const auto unpacked = cpio(dir.path(), {"-i"}, std::move(writer).finish());
  ASSERT_EQ(unpacked.status, 0) << unpacked.err;
  content.resize(3);
  for (int i = 0; i < 9; ++i) {
    const auto path = dir / ("file" + std::string(static_cast<size_t>(i), 'x'));
    STRATA_ASSERT_OK(const auto found, read_file(path));
    EXPECT_EQ(found, content);
    EXPECT_EQ(std::filesystem::status(path).permissions(), std::filesystem::perms(0640));
    content.push_back(static_cast<char>('a' + i));
  }
}

TEST(Cpio, AnEmptyArchiveIsOne) {
  STRATA_NEEDS_PROGRAM("cpio");
  const testing::TempDir dir;
  const auto listed = cpio(dir.path(), {"-t"}, CpioWriter().finish());
  EXPECT_EQ(listed.status, 0) << listed.err;
  EXPECT_EQ(listed.out, "");
}

}  // namespace
}  // namespace strata::vm
