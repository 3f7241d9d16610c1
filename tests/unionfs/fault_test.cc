// Every system call of an operation made to fail, one after the other (strace(1), "Syscall
// tampering"), or the process killed at it: the union is as before the operation or as after it.
#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/environment.h"
#include "tests/support/fault_injection.h"
#include "tests/support/matchers.h"
#include "tests/support/temp_dir.h"
#include "tests/unionfs/differential/apply.h"
#include "tests/unionfs/differential/view.h"
#include "unionfs/base/file.h"
#include "unionfs/index/cache.h"

namespace strata::testing {
namespace {

using std::filesystem::path;
using unionfs::LayerStack;
using unionfs::Union;
using unionfs::Upper;

struct Scene {
  const char* name;
  std::vector<Operation> before;  // what the upper layer holds already
  Operation operation;
};

void PrintTo(const Scene& scene, std::ostream* out) {
  *out << scene.name;
}

class FaultTest : public ::testing::TestWithParam<Scene> {
 protected:
  void SetUp() override {
    STRATA_NEEDS_ROOT();
    STRATA_NEEDS_PROGRAM("strace");
    mask_ = ::umask(0);
    dir_.write("lower/d/file", std::string(5000, 'f'));
    dir_.write("lower/d/sub/deep", "deep");
    dir_.write("lower/other", "other");
    std::filesystem::create_directory(dir_ / "lower/empty");
    ASSERT_EQ(::symlink("d/file", (dir_ / "lower/link").c_str()), 0);
  }
  void TearDown() override { ::umask(mask_); }

  Union open() {
    LayerStack stack = LayerStack::open({dir_ / "lower"}).value();
    auto opened = unionfs::index::open_index(stack, std::nullopt).value();
    return Union::open(std::move(stack), std::move(opened.index),
                       Upper{dir_ / "upper", dir_ / "work"}, {.redirect_dir = true})
        .value();
  }

  // A new upper layer, as the scene has it before the operation.
  void reset() {
    for (const char* name : {"upper", "work", "index"}) {
      std::filesystem::remove_all(dir_ / name);
      std::filesystem::create_directory(dir_ / name);
    }
    Union merged = open();
    for (const Operation& operation : GetParam().before)
      ASSERT_EQ(apply_to_engine(merged, operation).code, 0) << to_text(operation);
  }

  View view() {
    Union merged = open();
    return engine_view(merged, {});
  }

  // Runs the operation in a process of its own under strace; gives what strace wrote.
  std::string trace(const std::vector<std::string>& options) {
    const path log = dir_ / "strace.log";
    const Operation& operation = GetParam().operation;
    const std::string text = to_text(operation);
    std::vector<std::string> argv = {"strace", "-qq", "-o", log};
    argv.insert(argv.end(), options.begin(), options.end());
    for (const std::string& argument :
         {std::string(UNION_APPLY), (dir_ / "lower").string(), (dir_ / "upper").string(),
          (dir_ / "work").string(), (dir_ / "index").string(), text.substr(0, text.find(' ')),
          operation.path, operation.other, std::to_string(operation.number)})
      argv.push_back(argument);
    (void)run(argv);
    return read_file(log).value_or("");
  }

  // The system calls of an undisturbed run, from main() on, which begins with getppid(2).
  SystemCalls calls() {
    SystemCalls found = system_calls(trace({}), "getppid(");
    found.erase("exit_group");
    return found;
  }

  TempDir dir_;
  mode_t mask_ = 0;
};

TEST_P(FaultTest, TheUnionIsAsBeforeOrAsAfter) {
  reset();
  const View before = view();
  {
    Union merged = open();
    ASSERT_EQ(apply_to_engine(merged, GetParam().operation).code, 0);
  }
  const View after = view();
  ASSERT_NE(before, after);
  reset();
  int faults = 0;
  for (const auto& [call, range] : calls()) {
    for (const std::string fault : {"error=ENOSPC", "error=EIO", "signal=KILL"}) {
      for (int number = range.first; number <= range.last; ++number) {
        reset();
        (void)trace(inject(call, fault, number));
        ++faults;
        const View now = view();
        EXPECT_TRUE(now == before || now == after)
            << fault << " at " << call << " number " << number << "\n"
            << difference(now, before);
        EXPECT_TRUE(std::filesystem::is_empty(dir_ / "work/engine"));
      }
    }
  }
  EXPECT_GT(faults, 60);
}

INSTANTIATE_TEST_SUITE_P(
    Scenes, FaultTest,
    ::testing::Values(
        Scene{"CopyUp", {}, {Call::kChmod, "d/file", "", 1}},
        Scene{"CopyUpOfALink", {}, {Call::kChown, "link", "", 1}},
        Scene{"RenameOverAFile", {}, {Call::kRename, "d/file", "other", 0}},
        Scene{"RenameOfADirectory", {}, {Call::kRename, "d", "moved", 0}},
        Scene{"RenameOntoAWhiteout",
              {{Call::kUnlink, "other", "", 0}},
              {Call::kRename, "d/file", "other", 0}},
        Scene{"RenameOverADirectoryOfWhiteouts",
              {{Call::kUnlink, "d/sub/deep", "", 0}},
              {Call::kRename, "empty", "d/sub", 0}},
        Scene{"Exchange", {}, {Call::kRenameExchange, "d/sub", "other", 0}},
        Scene{"Unlink", {{Call::kChmod, "other", "", 1}}, {Call::kUnlink, "other", "", 0}},
        Scene{"RmdirOfWhiteouts",
              {{Call::kUnlink, "d/sub/deep", "", 0}},
              {Call::kRmdir, "d/sub", "", 0}},
        Scene{"MkdirOverAWhiteout",
              {{Call::kUnlink, "d/sub/deep", "", 0}, {Call::kRmdir, "d/sub", "", 0}},
              {Call::kMkdir, "d/sub", "", 0}},
        Scene{"Link", {}, {Call::kLink, "d/file", "linked", 0}}),
    [](const auto& scene) { return std::string(scene.param.name); });

}  // namespace
}  // namespace strata::testing
