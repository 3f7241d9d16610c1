#include "tests/bundle/engine_fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <fstream>
#include <thread>

#include "unionfs/base/file.h"

namespace strata::bundle {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

void mount_memory(const fs::path& path) {
  ASSERT_EQ(::mount("tmpfs", path.c_str(), "tmpfs", 0, nullptr), 0) << path;
}

void write_program(const fs::path& path, const std::string& text, mode_t mode) {
  std::ofstream(path) << text;
  ASSERT_EQ(::chmod(path.c_str(), mode), 0) << path;
}

// Podman's conmon may outlive the call that it served by a moment.
bool remove_when_empty(const fs::path& directory) {
  constexpr int kTries = 500;
  for (int i = 0; i < kTries; ++i) {
    if (::rmdir(directory.c_str()) == 0) return true;
    if (errno != EBUSY) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return false;
}

// The directories of a cgroup, deepest first. True if there were any.
bool remove_cgroups(const fs::path& directory) {
  std::error_code ec;
  if (!fs::is_directory(directory, ec)) return false;
  for (const auto& entry : fs::directory_iterator(directory, ec))
    if (entry.is_directory(ec)) remove_cgroups(entry.path());
  EXPECT_TRUE(remove_when_empty(directory)) << directory;
  return true;
}

std::string quoted(const std::string& word) {
  std::string text = "'";
  for (const char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

pid_t child_of(pid_t pid) {
  const std::string number = std::to_string(pid);
  const auto children = read_file("/proc/" + number + "/task/" + number + "/children");
  return children ? static_cast<pid_t>(std::strtol(children->c_str(), nullptr, 10)) : 0;
}

}  // namespace

void EngineTest::SetUp() {
  STRATA_NEEDS_ROOT();
  STRATA_NEEDS_DEBIAN();
  ASSERT_TRUE(testing::enter_private_namespaces());
  ASSERT_EQ(run({"ip", "link", "set", "lo", "up"}).status, 0);
  mount_memory("/run");
  fs::create_directories(ground_);
  mount_memory(ground_);
  fs::create_directories(rootfs());
  ASSERT_EQ(run({"tar", "-xf", testing::debian_tar(), "-C", rootfs()}).status, 0);
  write_program(rootfs() / "no-program", "text\n", 0755);
  write_program(rootfs() / "no-interpreter", "#!/no/interpreter\n", 0755);
  write_program(rootfs() / "not-executable", "#!/bin/sh\n", 0644);
}

void EngineTest::TearDown() {
  if (daemon_ > 0) stop_daemon();
  std::error_code ec;
  for (const auto& hierarchy : fs::directory_iterator("/sys/fs/cgroup", ec))
    remove_cgroups(hierarchy.path().string() + cgroup_parent_);
  if (fs::exists(ground_)) ::umount2(ground_.c_str(), MNT_DETACH);
}

Completed EngineTest::run(std::vector<std::string> argv, std::vector<std::string> env) {
  std::string line;
  for (const auto& word : argv) line += word + " ";
  const auto done = run_command(
      {.argv = std::move(argv), .env = std::move(env), .timeout = std::chrono::minutes(1)});
  EXPECT_TRUE(done) << line;
  if (!done) return {.status = -1};
  EXPECT_FALSE(done->timed_out) << line;
  return *done;
}

Completed EngineTest::run_on_terminal(const std::vector<std::string>& argv,
                                      std::vector<std::string> env) {
  std::string line = "stty rows 33 cols 77;";
  for (const auto& word : argv) line += " " + quoted(word);
  return run({"script", "--quiet", "--return", "--command", line, "/dev/null"}, std::move(env));
}

fs::path EngineTest::make_image_tar() const {
  auto path = ground_ / "image.tar";
  EXPECT_EQ(run({"tar", "-cf", path, "-C", rootfs(), "."}).status, 0);
  return path;
}

void EngineTest::start_daemon(const std::vector<std::string>& argv,
                              const std::vector<std::string>& ready) {
  std::vector<std::string> line{"unshare",      "--pid",        "--mount", "--fork",
                                "--kill-child", "--mount-proc", "--"};
  line.insert(line.end(), argv.begin(), argv.end());
  std::vector<char*> words;
  words.reserve(line.size() + 1);
  for (auto& word : line) words.push_back(word.data());
  words.push_back(nullptr);
  const auto log = ground_ / "daemon.log";
  daemon_ = ::fork();
  ASSERT_GE(daemon_, 0);
  if (daemon_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    const int fd = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
    ::dup2(fd, STDOUT_FILENO);
    ::dup2(fd, STDERR_FILENO);
    ::execvp(words[0], words.data());
    ::_exit(127);
  }
  const auto deadline = std::chrono::steady_clock::now() + 60s;
  while (run(ready).status != 0) {
    const bool ended = ::waitpid(daemon_, nullptr, WNOHANG) == daemon_;
    if (ended) daemon_ = -1;
    ASSERT_FALSE(ended || std::chrono::steady_clock::now() > deadline)
        << argv.front() << " did not come up: " << read_file(log).value_or("");
    std::this_thread::sleep_for(100ms);
  }
}

// Asked first; killed with its namespace if that does not help.
void EngineTest::stop_daemon() {
  if (const pid_t first = child_of(daemon_); first > 0) ::kill(first, SIGTERM);
  const auto deadline = std::chrono::steady_clock::now() + 20s;
  while (::waitpid(daemon_, nullptr, WNOHANG) == 0) {
    if (std::chrono::steady_clock::now() > deadline) {
      ADD_FAILURE() << "the daemon did not stop";
      ::kill(daemon_, SIGKILL);
      ::waitpid(daemon_, nullptr, 0);
      break;
    }
    std::this_thread::sleep_for(20ms);
  }
  daemon_ = -1;
}

}  // namespace strata::bundle
