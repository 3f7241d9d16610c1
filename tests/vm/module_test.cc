// Kernel modules: what they say of themselves, and the order of loading.

#include "runtime/vm/module.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "runtime/vm/module_set.h"
#include "tests/support/environment.h"
#include "tests/support/matchers.h"
#include "tests/support/temp_dir.h"
#include "tests/vm/module_files.h"

namespace strata::vm {
namespace {

using ::testing::ElementsAre;
using testing::FailsWith;
using ::testing::HasSubstr;
using testing::module_file;

TEST(ModuleName, ComesFromTheFile) {
  EXPECT_EQ(module_name("/lib/modules/x/kernel/drivers/virtio/virtio_ring.ko"), "virtio_ring");
  EXPECT_EQ(module_name("crc32c-intel.ko.xz"), "crc32c_intel");
  EXPECT_EQ(module_name("a.ko.zst"), "a");
  EXPECT_EQ(module_name("a.kot"), "");
  EXPECT_EQ(module_name("modules.builtin"), "");
}

TEST(ModuleInfo, GivesEachValueOfAKey) {
  const auto elf = module_file({"name=a", "alias=x", "alias=y", "depends=b,c", "aliased=no"});
  STRATA_ASSERT_OK(const auto aliases, module_info(elf, "alias", "a.ko"));
  EXPECT_THAT(aliases, ElementsAre("x", "y"));
  STRATA_ASSERT_OK(const auto none, module_info(elf, "author", "a.ko"));
  EXPECT_THAT(none, ElementsAre());
}

TEST(ModuleInfo, RefusesOtherFilesAndEveryTruncation) {
  EXPECT_THAT(module_info("hello", "depends", "a.ko"), FailsWith(EINVAL, "a.ko"));
  const auto elf = module_file({"depends=b"});
  for (size_t size = 0; size < elf.size(); ++size)
    EXPECT_THAT(module_info(elf.substr(0, size), "depends", "a.ko"), FailsWith(EINVAL)) << size;
}

TEST(Module, LosesItsSignatureOnly) {
  const testing::TempDir dir;
  const auto path = dir.write("a.ko", testing::signed_module_file({"depends=b-b,c"}));
  STRATA_ASSERT_OK(const Module module, read_module(path));
  EXPECT_EQ(module.name, "a");
  EXPECT_EQ(module.content, module_file({"depends=b-b,c"}));
  EXPECT_THAT(module.depends, ElementsAre("b_b", "c"));
}

TEST(Module, IsReadCompressed) {
  STRATA_NEEDS_PROGRAM("xz");
  const testing::TempDir dir;
  const auto packed = testing::run({"xz", "-c"}, module_file({"depends="}));
  STRATA_ASSERT_OK(const Module module, read_module(dir.write("a.ko.xz", packed.out)));
  EXPECT_EQ(module.content, module_file({"depends="}));
  EXPECT_THAT(read_module(dir.write("b.ko.xz", "no compression")), FailsWith(EBADMSG, "b.ko.xz"));
}

class Modules : public ::testing::Test {
 protected:
  void add(const std::string& path, const std::string& depends) const {
    dir_.write(path, module_file({"depends=" + depends}));
  }
  [[nodiscard]] Result<std::vector<std::string>> resolve(
      const std::vector<std::string>& wanted) const {
    STRATA_TRY(const auto set, ModuleSet::open(dir_.path()));
    STRATA_TRY(const auto modules, set.resolve(wanted));
    std::vector<std::string> names;
    for (const auto& module : modules) names.push_back(module.name);
    return names;
  }

  testing::TempDir dir_;
};

TEST_F(Modules, AreOrderedByDependencyEachOnce) {
  add("kernel/ring.ko", "");
  add("kernel/virtio.ko", "ring");
  add("kernel/deep/blk.ko", "virtio,ring");
  add("kernel/fs/my-fs.ko", "crc");
  add("crc.ko", "");
  STRATA_ASSERT_OK(const auto names, resolve({"blk", "my_fs", "virtio"}));
  EXPECT_THAT(names, ElementsAre("ring", "virtio", "blk", "crc", "my_fs"));
}

TEST_F(Modules, CompiledInAreLeftOut) {
  add("blk.ko", "virtio,crc");
  add("crc.ko", "");
  dir_.write("modules.builtin", "kernel/drivers/virtio/virtio.ko\nkernel/fs/over-lay.ko\n");
  STRATA_ASSERT_OK(const auto names, resolve({"blk", "over_lay"}));
  EXPECT_THAT(names, ElementsAre("crc", "blk"));
}

TEST_F(Modules, MissingAndCircularOnesAreErrors) {
  add("a.ko", "b");
  EXPECT_THAT(resolve({"a"}), FailsWith(ENOENT, "no kernel module b"));
  add("b.ko", "c");
  add("c.ko", "a");
  EXPECT_THAT(resolve({"a"}), FailsWith(ELOOP));
  EXPECT_THAT(ModuleSet::open(dir_ / "nowhere"), FailsWith(ENOENT));
}

}  // namespace
}  // namespace strata::vm
