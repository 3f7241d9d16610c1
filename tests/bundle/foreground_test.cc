// Containers and programs on the user's own terminal, without a console socket; runc beside.

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <string>
#include <utility>

#include "tests/bundle/oci_fixture.h"
#include "unionfs/base/unique_fd.h"

namespace strata::bundle {
namespace {

using ::testing::HasSubstr;

// A program whose terminal the test looks at.
class OnTerminal {
 public:
  OnTerminal(std::vector<std::string> line, const std::filesystem::path& directory) {
    std::vector<char*> argv;
    argv.reserve(line.size() + 1);
    for (auto& word : line) argv.push_back(word.data());
    argv.push_back(nullptr);
    const winsize size{.ws_row = 33, .ws_col = 77, .ws_xpixel = 0, .ws_ypixel = 0};
    int master = -1;
    pid_ = ::forkpty(&master, nullptr, nullptr, &size);
    if (pid_ == 0) {
      if (::chdir(directory.c_str()) == 0) ::execvp(argv[0], argv.data());
      ::_exit(127);
    }
    EXPECT_GT(pid_, 0);
    master_.reset(master);
  }
  OnTerminal(const OnTerminal&) = delete;
  OnTerminal& operator=(const OnTerminal&) = delete;
  ~OnTerminal() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }

  // All that was shown, until `end` was or nothing comes for ten seconds.
  const std::string& read_until(const std::string& end) {
    constexpr int kPatience = 10'000;
    std::array<char, 4096> buffer{};
    while (text_.find(end) == std::string::npos) {
      pollfd ready{master_.get(), POLLIN, 0};
      if (::poll(&ready, 1, kPatience) <= 0) break;
      const ssize_t n = ::read(master_.get(), buffer.data(), buffer.size());
      if (n <= 0) break;  // EIO: nobody has the terminal any more
      text_.append(buffer.data(), static_cast<size_t>(n));
    }
    return text_;
  }
  void type(const std::string& keys) const {
    EXPECT_EQ(::write(master_.get(), keys.data(), keys.size()), ssize_t(keys.size()));
  }
  void resize(unsigned short rows, unsigned short columns) const {
    const winsize size{.ws_row = rows, .ws_col = columns, .ws_xpixel = 0, .ws_ypixel = 0};
    EXPECT_EQ(::ioctl(master_.get(), TIOCSWINSZ, &size), 0);
  }
  void signal(int number) const { EXPECT_EQ(::kill(pid_, number), 0); }
  [[nodiscard]] bool edits_lines() const {
    termios settings{};
    EXPECT_EQ(::tcgetattr(master_.get(), &settings), 0);
    return (settings.c_lflag & ICANON) != 0;
  }
  // Of the ended program, as a shell has it.
  int wait() {
    int status = 0;
    const pid_t pid = std::exchange(pid_, -1);
    EXPECT_EQ(::waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  pid_t pid_ = -1;
  UniqueFd master_;
  std::string text_;
};

class ForegroundTest : public OciTest, public ::testing::WithParamInterface<OciTest::Runtime> {
 protected:
  void SetUp() override {
    if (GetParam() == Runtime::kRunc) STRATA_NEEDS_PROGRAM("runc");
    OciTest::SetUp();
  }
  OnTerminal show(std::vector<std::string> arguments) const {
    return {command_line(std::move(arguments), GetParam()), bundle_};
  }
};

// runc sets the size when the program runs already.
constexpr const char* kScript =
    "wait_for() { until stty size 2>/dev/null | grep \"$1\"; do sleep 0.01; done; };"
    "tty; wait_for '33 77'; echo ready; read line; wait_for '44 88'; echo got $line; exit 5";

void expect_a_terminal_for(OnTerminal& program) {
  EXPECT_THAT(program.read_until("ready\r\n"), HasSubstr("/dev/"));
  EXPECT_THAT(program.read_until("ready\r\n"), HasSubstr("33 77\r\n"));
  EXPECT_FALSE(program.edits_lines());
  program.resize(44, 88);
  program.type("hello\r");
  EXPECT_THAT(program.read_until("got hello\r\n"), HasSubstr("44 88\r\n"));
  EXPECT_EQ(program.wait(), 5);
  EXPECT_TRUE(program.edits_lines());
}

TEST_P(ForegroundTest, ShowsTheFirstProcess) {
  write_shell(kScript, [](Json& config) { config["process"]["terminal"] = true; });
  auto program = show({"run", "c1"});
  expect_a_terminal_for(program);
}

TEST_P(ForegroundTest, ShowsAFurtherProcess) {
  write_shell("sleep 100");
  ok({"run", "-d", "c1"}, GetParam());
  auto program = show({"exec", "-t", "c1", "sh", "-c", kScript});
  expect_a_terminal_for(program);
  ok({"kill", "c1", "KILL"}, GetParam());
  wait_stopped("c1", GetParam());
  ok({"delete", "c1"}, GetParam());
}

TEST_P(ForegroundTest, PassesKeysAndSignalsOn) {
  const std::string script =
      "trap 'echo interrupted' INT; trap 'echo terminated; exit 7' TERM; echo ready;"
      "while :; do sleep 0.1; done";
  write_shell(script, [](Json& config) { config["process"]["terminal"] = true; });
  auto program = show({"run", "c1"});
  program.read_until("ready");
  program.type("\x03");  // Ctrl-C, for the inner terminal to make a signal of
  EXPECT_THAT(program.read_until("interrupted"), HasSubstr("interrupted"));
  program.signal(SIGTERM);
  EXPECT_THAT(program.read_until("terminated"), HasSubstr("terminated"));
  EXPECT_EQ(program.wait(), 7);
}

INSTANTIATE_TEST_SUITE_P(Runtimes, ForegroundTest,
                         ::testing::Values(OciTest::Runtime::kStrata, OciTest::Runtime::kRunc),
                         [](const auto& test) {
                           return test.param == OciTest::Runtime::kRunc ? "runc" : "strata";
                         });

}  // namespace
}  // namespace strata::bundle
