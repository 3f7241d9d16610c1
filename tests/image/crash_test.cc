// Interruptions of every kind: kills at any moment, signals, two writers, a full disk. The store
// stays whole and work goes on.

#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <random>
#include <thread>

#include <gtest/gtest.h>

#include "tests/image/archives.h"
#include "tests/support/environment.h"
#include "tests/support/matchers.h"
#include "tests/support/temp_dir.h"

namespace strata::image {
namespace {

using std::chrono::microseconds;
using std::chrono::steady_clock;
using testing::findings_of;
using testing::IsOk;

// strata-image in the background.
class Program {
 public:
  Program(const std::filesystem::path& root, std::vector<std::string> arguments, int input = -1) {
    std::vector<std::string> argv{testing::own_program("strata-image"), "--root", root.string()};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    pid_ = ::fork();
    if (pid_ != 0) return;
    if (input >= 0) ::dup2(input, STDIN_FILENO);
    ::freopen("/dev/null", "w", stdout);
    ::freopen("/dev/null", "w", stderr);
    ::syscall(SYS_close_range, 3, ~0U, 0);
    std::vector<char*> pointers;
    pointers.reserve(argv.size() + 1);
    for (auto& argument : argv) pointers.push_back(argument.data());
    pointers.push_back(nullptr);
    ::execv(pointers[0], pointers.data());
    ::_exit(127);
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  ~Program() {
    if (pid_ > 0) ::kill(pid_, SIGKILL), wait();
  }

  void signal(int number) const { ::kill(pid_, number); }
  // The wait status.
  int wait() {
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    return status;
  }

 private:
  pid_t pid_ = -1;
};

// A tar with as many files of as many bytes: long enough to be hit in the middle.
std::string big_tar(int files, size_t size) {
  std::mt19937 random(11);
  std::string content(size, ' ');
  testing::TarBuilder tar;
  for (int i = 0; i < files; ++i) {
    for (size_t at = 0; at < size; at += 4) content[at] = static_cast<char>(random());
    tar.directory("d" + std::to_string(i)).file("d" + std::to_string(i) + "/f", content);
  }
  return tar.bytes();
}

class Crash : public ::testing::Test {
 protected:
  void SetUp() override {
    STRATA_NEEDS_ROOT();
    STRATA_ASSERT_OK(Store opened, Store::open(dir_ / "store"));
    store_.emplace(std::move(opened));
    tar_ = dir_.write("big.tar", big_tar(150, 30'000));
  }
  [[nodiscard]] std::vector<std::string> import_arguments(const std::string& name) const {
    return {"import", tar_.string(), name};
  }

  testing::TempDir dir_;
  std::optional<Store> store_;
  std::filesystem::path tar_;
};

TEST_F(Crash, KilledAnywhereTheStoreIsWhole) {
  const auto start = steady_clock::now();
  ASSERT_EQ(Program(store_->root(), import_arguments("first")).wait(), 0);
  const auto whole = std::chrono::duration_cast<microseconds>(steady_clock::now() - start);
  ASSERT_THAT(remove_image(*store_, "first", false), IsOk());

  std::mt19937 random(42);
  std::uniform_int_distribution<int64_t> moment(0, whole.count() * 11 / 10);
  int killed = 0;
  for (int i = 0; i < 30; ++i) {
    Program program(store_->root(), import_arguments("web"));
    std::this_thread::sleep_for(microseconds(moment(random)));
    program.signal(SIGKILL);
    killed += WIFSIGNALED(program.wait()) ? 1 : 0;
    // Whatever is there by name is whole; whatever is not whole is refuse and can be told apart.
    const std::string found = findings_of(*store_);
    EXPECT_EQ(found.find("damaged"), std::string::npos) << found;
    EXPECT_EQ(found.find("missing"), std::string::npos) << found;
  }
  EXPECT_GT(killed, 10) << "most were to be killed in the middle";
  ASSERT_THAT(prune_images(*store_), IsOk());
  EXPECT_EQ(findings_of(*store_), "");
  ASSERT_EQ(Program(store_->root(), import_arguments("web")).wait(), 0);
  EXPECT_EQ(findings_of(*store_), "");
  STRATA_ASSERT_OK(const Image image, store_->get("web"));
  EXPECT_TRUE(std::filesystem::exists(image.layers[0].tree / "d149/f"));
}

TEST_F(Crash, KilledDuringRemovalTheStoreIsWhole) {
  std::mt19937 random(43);
  std::uniform_int_distribution<int64_t> moment(0, 30'000);
  for (int i = 0; i < 10; ++i) {
    ASSERT_EQ(Program(store_->root(), import_arguments("web")).wait(), 0);
    Program program(store_->root(), {"rmi", "web"});
    std::this_thread::sleep_for(microseconds(moment(random)));
    program.signal(SIGKILL);
    program.wait();
    const std::string found = findings_of(*store_);
    EXPECT_EQ(found.find("damaged"), std::string::npos) << found;
    EXPECT_EQ(found.find("missing"), std::string::npos) << found;
  }
  ASSERT_THAT(prune_images(*store_), IsOk());
  EXPECT_EQ(findings_of(*store_), "");
}

TEST_F(Crash, ASignalLeavesNothingBehind) {
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    // A pipe that never ends: the program waits in the middle of the tar.
    std::array<int, 2> pipe{};
    ASSERT_EQ(::pipe(pipe.data()), 0);
    Program program(store_->root(), {"import", "-", "web"}, pipe[0]);
    ::close(pipe[0]);
    const std::string part = big_tar(2, 30'000).substr(0, 50'000);
    ASSERT_EQ(::write(pipe[1], part.data(), part.size()), static_cast<ssize_t>(part.size()));
    const auto deadline = steady_clock::now() + std::chrono::seconds(10);
    while (std::filesystem::is_empty(store_->tmp_dir()) && steady_clock::now() < deadline)
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    program.signal(number);
    const int status = program.wait();
    ::close(pipe[1]);
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == number) << status;
    EXPECT_TRUE(std::filesystem::is_empty(store_->tmp_dir()));
    EXPECT_EQ(findings_of(*store_), "");
  }
}

TEST_F(Crash, WritersAtTheSameTimeAllSurvive) {
  constexpr int kWriters = 4;
  for (int round = 0; round < 3; ++round) {
    std::vector<std::unique_ptr<Program>> programs;
    programs.reserve(kWriters);
    for (int i = 0; i < kWriters; ++i)
      programs.push_back(std::make_unique<Program>(
          store_->root(),
          import_arguments("web" + std::to_string(round) + ":" + std::to_string(i))));
    for (auto& program : programs) EXPECT_EQ(program->wait(), 0);
  }
  for (int round = 0; round < 3; ++round)
    for (int i = 0; i < kWriters; ++i)
      EXPECT_THAT(store_->get("web" + std::to_string(round) + ":" + std::to_string(i)), IsOk());
  EXPECT_EQ(findings_of(*store_), "");
}

// An import that shares layers with an image that is being removed either succeeds, whole, or says
// so; it never refers to what is gone.
TEST_F(Crash, RemovalBesideImportLeavesWholeImagesOnly) {
  for (int i = 0; i < 8; ++i) {
    ASSERT_EQ(Program(store_->root(), import_arguments("a")).wait(), 0);
    Program importer(store_->root(), import_arguments("b"));
    std::this_thread::sleep_for(std::chrono::milliseconds(10 * i));
    Program remover(store_->root(), {"rmi", "a"});
    EXPECT_EQ(remover.wait(), 0);
    importer.wait();
    EXPECT_EQ(findings_of(*store_), "");
  }
}

TEST_F(Crash, AFullDiskKeepsNothing) {
  if (!testing::enter_private_namespaces()) GTEST_SKIP() << "no private mount namespace";
  const auto disk = dir_ / "disk";
  std::filesystem::create_directory(disk);
  ASSERT_EQ(::mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=6m"), 0);
  {
    STRATA_ASSERT_OK(const Store small, Store::open(disk / "store"));
    const auto before = testing::store_content(small);
    const auto done = testing::run({testing::own_program("strata-image"), "--root",
                                    small.root().string(), "import", tar_.string(), "web"});
    EXPECT_EQ(done.status, 1);
    EXPECT_NE(done.err.find("No space left on device"), std::string::npos) << done.err;
    EXPECT_EQ(testing::store_content(small), before);
    EXPECT_EQ(findings_of(small), "");
    // What fits still goes in.
    EXPECT_THAT(testing::import(small, testing::small_tar("a", "1"), "tiny"), IsOk());
  }
  EXPECT_EQ(::umount(disk.c_str()), 0);
}

}  // namespace
}  // namespace strata::image
