// The verdict on KVM: remembered under its key, and found with a QEMU of our own making.

#include "runtime/vm/accelerator.h"

#include <fcntl.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include <gtest/gtest.h>

#include "tests/support/environment.h"
#include "tests/support/matchers.h"
#include "tests/support/temp_dir.h"
#include "tests/vm/module_files.h"
#include "unionfs/base/file.h"

namespace strata::vm {
namespace {

using ::testing::HasSubstr;

class Verdicts : public ::testing::Test {
 protected:
  void SetUp() override {
    STRATA_NEEDS_ROOT();
    STRATA_ASSERT_OK(auto store, image::Store::open(dir_ / "store"));
    store_ = std::move(store);
  }
  [[nodiscard]] const image::Store& store() const { return *store_; }

  testing::TempDir dir_;

 private:
  std::optional<image::Store> store_;
};

TEST_F(Verdicts, HoldForTheirKeyOnly) {
  const VerdictKey key{"6.18 #1", "boot", "/usr/bin/qemu 1 2", "6.1"};
  STRATA_ASSERT_OK(const auto none, recall_verdict(store(), key));
  EXPECT_FALSE(none.has_value());
  ASSERT_THAT(remember_verdict(store(), key, {Accelerator::kKvm, "kvm: seen"}), testing::IsOk());
  STRATA_ASSERT_OK(const auto known, recall_verdict(store(), key));
  ASSERT_TRUE(known.has_value());
  EXPECT_EQ(known->accelerator, Accelerator::kKvm);
  EXPECT_EQ(known->reason, "kvm: seen");
  EXPECT_TRUE(known->remembered);
  for (auto member : {&VerdictKey::host_kernel, &VerdictKey::boot_id, &VerdictKey::qemu,
                      &VerdictKey::guest_kernel}) {
    VerdictKey other = key;
    other.*member += "x";
    STRATA_ASSERT_OK(const auto nothing, recall_verdict(store(), other));
    EXPECT_FALSE(nothing.has_value());
  }
}

TEST_F(Verdicts, ADamagedFileIsNone) {
  dir_.write("store/vm/accelerator.json", "{ not JSON");
  STRATA_ASSERT_OK(const auto known, recall_verdict(store(), {}));
  EXPECT_FALSE(known.has_value());
}

// A qemu-system-x86_64 in PATH that counts its starts and then does what `script` says.
class Deciding : public Verdicts {
 protected:
  void SetUp() override {
    Verdicts::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    if (!open_file("/dev/kvm", O_RDWR)) GTEST_SKIP() << "this test needs /dev/kvm";
    for (const char* name : {"virtio_mmio", "virtio_console", "virtio_blk", "erofs", "overlay"})
      dir_.write(std::string("modules/") + name + ".ko", testing::module_file({"depends="}));
    dir_.write("vmlinux", "");
    path_ = std::getenv("PATH");
    ::setenv("PATH", ((dir_ / "bin").string() + ":" + path_).c_str(), 1);
  }
  void TearDown() override {
    if (!path_.empty()) ::setenv("PATH", path_.c_str(), 1);
  }
  void fake_qemu(const std::string& script) const {
    const auto path =
        dir_.write(std::string("bin/") + kQemu,
                   "#!/bin/sh\necho start >> " + (dir_ / "starts").string() + "\n" + script + "\n");
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  }
  [[nodiscard]] Result<Verdict> decide(bool again = false) const {
    const Kernel kernel{"6.1", dir_ / "vmlinux", dir_ / "modules", ""};
    return decide_accelerator(
        store(), kernel, [](std::string_view) {}, again);
  }
  [[nodiscard]] size_t starts() const {
    const auto text = read_file(dir_ / "starts").value_or("");
    return static_cast<size_t>(std::count(text.begin(), text.end(), '\n'));
  }

 private:
  static constexpr const char* kQemu = "qemu-system-x86_64";
  std::string path_;
};

TEST_F(Deciding, AQemuThatFailsIsQuotedAndNotTriedAgain) {
  fake_qemu("echo 'failed to initialize kvm: Permission denied' >&2; exit 1");
  STRATA_ASSERT_OK(const auto verdict, decide());
  EXPECT_EQ(verdict.accelerator, Accelerator::kTcg);
  EXPECT_THAT(verdict.reason, HasSubstr("failed to initialize kvm: Permission denied"));
  STRATA_ASSERT_OK(const auto second, decide());
  EXPECT_EQ(second.reason, verdict.reason);
  EXPECT_TRUE(second.remembered);
  EXPECT_EQ(starts(), 1U);
  STRATA_ASSERT_OK(const auto third, decide(/*again=*/true));
  EXPECT_FALSE(third.remembered);
  EXPECT_EQ(starts(), 2U);
}

TEST_F(Deciding, AGuestThatHangsIsGivenUpAndKilled) {
  fake_qemu("echo $$ > " + (dir_ / "pid").string() + "; exec sleep 1000");
  STRATA_ASSERT_OK(const auto verdict, decide());
  EXPECT_EQ(verdict.accelerator, Accelerator::kTcg);
  EXPECT_EQ(verdict.reason, "kvm: tried, guest did not boot within 5 s");
  STRATA_ASSERT_OK(const auto pid, read_file(dir_ / "pid"));
  EXPECT_FALSE(std::filesystem::exists("/proc/" + pid.substr(0, pid.find('\n'))));
}

TEST_F(Deciding, AGuestThatAnswersMakesKvmUsable) {
  // kReady, then kExit with status 0, on descriptor 3: what our init would say
  fake_qemu(R"(printf '\1\0\0\0\0\0\0\0\5\0\0\0\4\0\0\0\0\0\0\0' >&3)");
  STRATA_ASSERT_OK(const auto verdict, decide());
  EXPECT_EQ(verdict.accelerator, Accelerator::kKvm);
  EXPECT_THAT(verdict.reason, HasSubstr("kvm: a guest booted in"));
}

}  // namespace
}  // namespace strata::vm
