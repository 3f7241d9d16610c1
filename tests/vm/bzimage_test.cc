#include "runtime/vm/bzimage.h"

#include <elf.h>

#include <cstring>

#include <gtest/gtest.h>

#include "tests/support/environment.h"
#include "tests/support/matchers.h"

namespace strata::vm {
namespace {

using testing::FailsWith;

void put(std::string& bytes, size_t offset, const auto& value) {
  std::memcpy(bytes.data() + offset, &value, sizeof value);
}

// The least that is a bzImage: setup code of one sector, and the payload behind it.
std::string bzimage(const std::string& payload) {
  std::string bytes(1024, '\0');
  put(bytes, 0x1f1, uint8_t{1});
  std::memcpy(bytes.data() + 0x202, "HdrS", 4);
  put(bytes, 0x206, uint16_t{0x020f});
  put(bytes, 0x248, uint32_t{16});
  put(bytes, 0x24c, static_cast<uint32_t>(payload.size()));
  return bytes + std::string(16, 'c') + payload + "after";
}

const std::string kElf = std::string(ELFMAG) + std::string(5000, 'e');

class Compressed : public ::testing::TestWithParam<const char*> {};

TEST_P(Compressed, KernelComesOutWhole) {
  STRATA_NEEDS_PROGRAM(GetParam());
  const auto packed = testing::run({GetParam(), "-c"}, kElf);
  // the kernel's build appends the length to all but gzip's
  const std::string size = std::string(GetParam()) == "gzip" ? "" : std::string(4, '\7');
  STRATA_ASSERT_OK(const auto vmlinux, extract_vmlinux(bzimage(packed.out + size), "vmlinuz"));
  EXPECT_EQ(vmlinux, kElf);
}

INSTANTIATE_TEST_SUITE_P(BzImage, Compressed, ::testing::Values("gzip", "xz", "zstd"),
                         [](const auto& param) { return std::string(param.param); });

TEST(BzImage, RefusesWhatIsNone) {
  EXPECT_THAT(extract_vmlinux("", "k"), FailsWith(EINVAL, "k is not a Linux kernel"));
  EXPECT_THAT(extract_vmlinux(std::string(5000, 'x'), "k"), FailsWith(EINVAL));
  EXPECT_THAT(extract_vmlinux(bzimage("not compressed at all"), "k"), FailsWith(EBADMSG));
  auto cut = bzimage(std::string(1000, 'x'));
  cut.resize(1200);
  EXPECT_THAT(extract_vmlinux(cut, "k"), FailsWith(EINVAL, "cut off"));
}

}  // namespace
}  // namespace strata::vm
