// -t with a real terminal: forkpty(3) plays the user's.

#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <chrono>

#include "tests/container/program_fixture.h"
#include "unionfs/base/unique_fd.h"

namespace strata::container {
namespace {

using ::testing::HasSubstr;

// A program with a terminal of its own, and a person who types and reads.
class Session {
 public:
  Session(const std::vector<std::string>& command, winsize size) {
    int master = -1;
    pid_ = ::forkpty(&master, nullptr, nullptr, &size);
    if (pid_ == 0) {
      std::vector<char*> argv;
      for (const auto& argument : command) argv.push_back(const_cast<char*>(argument.c_str()));
      argv.push_back(nullptr);
      ::execv(argv[0], argv.data());
      ::_exit(99);
    }
    master_.reset(master);
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session() {
    if (pid_ > 0) finish();
  }

  void type(std::string_view keys) {
    EXPECT_EQ(::write(master_.get(), keys.data(), keys.size()), static_cast<ssize_t>(keys.size()));
  }

  // Reads until `text` was seen (and forgets what came before its end), or ten seconds are over.
  bool sees(std::string_view text) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    for (;;) {
      const auto at = screen_.find(text);
      if (at != std::string::npos) {
        screen_.erase(0, at + text.size());
        return true;
      }
      if (std::chrono::steady_clock::now() > deadline || !read_some()) {
        ADD_FAILURE() << "'" << text << "' did not come, but: " << screen_;
        return false;
      }
    }
  }

  void resize(unsigned short rows, unsigned short columns) {
    const winsize size{.ws_row = rows, .ws_col = columns};
    ::ioctl(master_.get(), TIOCSWINSZ, &size);
  }

  [[nodiscard]] bool is_raw() const {
    termios settings{};
    ::tcgetattr(master_.get(), &settings);
    return (settings.c_lflag & (ICANON | ECHO)) == 0;
  }

  [[nodiscard]] pid_t pid() const { return pid_; }

  // Closes the window; the exit status as below.
  int hang_up() {
    master_.reset();
    return finish();
  }

  // Exit status, or 128 + signal.
  int finish() {
    int status = 0;
    while (master_.valid() && read_some()) {
    }
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  bool read_some() {
    pollfd fd{master_.get(), POLLIN, 0};
    if (::poll(&fd, 1, 10'000) <= 0) return false;
    std::array<char, 4096> buffer{};
    const ssize_t n = ::read(master_.get(), buffer.data(), buffer.size());
    if (n > 0) screen_.append(buffer.data(), static_cast<size_t>(n));
    return n > 0;
  }

  pid_t pid_ = -1;
  UniqueFd master_;
  std::string screen_;
};

class Terminal : public ProgramTest {
 protected:
  static constexpr winsize kSize{.ws_row = 33, .ws_col = 77};

  static std::vector<std::string> shell(std::vector<std::string> options = {}) {
    std::vector<std::string> arguments{"run", "-it", "--rm"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    arguments.insert(arguments.end(), {"-e", "PS1=prompt> ", "debian", "bash", "--norc", "-i"});
    return command_line(arguments);
  }
};

TEST_F(Terminal, IsARealOneInsideAndRawOutside) {
  Session session(shell(), kSize);
  ASSERT_TRUE(session.sees("prompt> "));
  EXPECT_TRUE(session.is_raw());
  session.type("tty; stty size; echo $TERM\r");
  EXPECT_TRUE(session.sees("/dev/pts/0\r\n33 77\r\nxterm\r\n"));
  session.type("exit 7\r");
  EXPECT_EQ(session.finish(), 7);
}

TEST_F(Terminal, KeysReachTheCommandsOwnTerminal) {
  Session session(shell(), kSize);
  ASSERT_TRUE(session.sees("prompt> "));
  // ^C ends the foreground job inside, not the client outside.
  session.type("sleep 60; echo status $?\r");
  ASSERT_TRUE(session.sees("$?\r\n"));
  ::usleep(200'000);
  session.type("\x03");
  ASSERT_TRUE(session.sees("prompt> "));
  session.type("echo sta''tus $?\r");
  EXPECT_TRUE(session.sees("status 130"));
  session.type("\x04");
  EXPECT_EQ(session.finish(), 0);
}

TEST_F(Terminal, FollowsTheUsersSize) {
  Session session(shell(), kSize);
  ASSERT_TRUE(session.sees("prompt> "));
  session.resize(50, 132);
  wait_for("the new size", [&] {
    session.type("stty size; echo done\r");
    session.sees("echo done\r\n");
    return session.sees("50 132\r\ndone");
  });
  session.type("exit\r");
  EXPECT_EQ(session.finish(), 0);
}

TEST_F(Terminal, IsRestoredHoweverItEnds) {
  // The shell around the client sees the terminal after it.
  const auto program = command_line({});
  const auto check = [&](const std::string& how, const std::string& expected) {
    Session session({"/bin/bash", "-c",
                     program[0] + " --root " + program[2] +
                         " run -it --rm --name shown debian sh -c 'echo up; " + how +
                         "'; echo status $?; stty | grep -c -- '-icanon' ; stty -a | grep -o "
                         "' echo '; echo end"},
                    kSize);
    ASSERT_TRUE(session.sees("up"));
    if (how == "sleep 60") ok({"kill", "shown"});
    EXPECT_TRUE(session.sees(expected));
    EXPECT_TRUE(session.sees("0\r\n echo \r\nend")) << how;
  };
  check("exit 3", "status 3");
  check("sleep 60", "status 137");
}

TEST_F(Terminal, SignalsFromOutsideReachTheCommand) {
  Session session(command_line({"run", "-it", "--rm", "debian", "sh", "-c",
                                "trap 'echo got term; exit 4' TERM; echo up; "
                                "while :; do sleep 0.05; done"}),
                  kSize);
  ASSERT_TRUE(session.sees("up"));
  ::kill(session.pid(), SIGTERM);
  EXPECT_TRUE(session.sees("got term"));
  EXPECT_EQ(session.finish(), 4);
}

TEST_F(Terminal, TheContainerOutlivesAKilledClient) {
  {
    Session session(command_line({"run", "-it", "--name", "left", "debian", "sh", "-c",
                                  "echo up; read line; sleep 60"}),
                    kSize);
    ASSERT_TRUE(session.sees("up"));
    ::kill(session.pid(), SIGKILL);
    EXPECT_EQ(session.finish(), 137);
  }
  EXPECT_EQ(status_of("left"), "running");
  EXPECT_THAT(ok({"logs", "left"}), HasSubstr("up"));
}

TEST_F(Terminal, AHangUpReachesTheCommand) {
  Session session(command_line({"run", "-it", "--name", "left", "debian", "bash", "--norc", "-c",
                                "trap 'echo hung up > /said; exit 3' HUP; echo up; "
                                "while :; do sleep 0.05; done"}),
                  kSize);
  ASSERT_TRUE(session.sees("up"));
  EXPECT_EQ(session.hang_up(), 129);
  const auto json = inspect("left");
  EXPECT_EQ(json["state"]["exit_code"], 3);
  EXPECT_TRUE(std::filesystem::exists(json["upper"].get<std::string>() + "/said"));
}

TEST_F(Terminal, AHangUpEndsShellsAndWhatHeedsNothing) {
  for (const auto* command : {"exec sh", "exec bash --norc", "exec sleep 60", "exec yes",
                              "while :; do sleep 0.05; done"}) {
    Session session(command_line({"run", "-it", "--rm", "debian", "sh", "-c",
                                  "echo up; " + std::string(command)}),
                    kSize);
    ASSERT_TRUE(session.sees("up"));
    EXPECT_EQ(session.hang_up(), 129) << command;
    wait_for("the container to go", [] { return ok({"ps", "-aq"}).empty(); });
  }
}

TEST_F(Terminal, AHangUpEndsExec) {
  ok({"run", "-d", "--name", "web", "debian", "sleep", "60"});
  Session session(command_line({"exec", "-it", "web", "sh", "-c", "echo up; exec sleep 61"}),
                  kSize);
  ASSERT_TRUE(session.sees("up"));
  EXPECT_EQ(session.hang_up(), 129);
  EXPECT_EQ(status_of("web"), "running");
  wait_for("the command to go", [] {
    return ok({"exec", "web", "sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '"})
               .find("sleep 61 ") == std::string::npos;
  });
}

TEST_F(Terminal, ExecHasOneToo) {
  ok({"run", "-d", "--name", "web", "debian", "sleep", "60"});
  Session session(
      command_line({"exec", "-it", "-e", "PS1=inside> ", "web", "bash", "--norc", "-i"}), kSize);
  ASSERT_TRUE(session.sees("inside> "));
  EXPECT_TRUE(session.is_raw());
  session.type("tty; stty size\r");
  EXPECT_TRUE(session.sees("/dev/pts/0\r\n33 77\r\n"));
  session.type("exit 5\r");
  EXPECT_EQ(session.finish(), 5);
}

TEST_F(Terminal, NeedsOneForInput) {
  const auto done = strata({"run", "-it", "--rm", "debian", "true"}, "not a terminal");
  EXPECT_EQ(done.status, 125);
  EXPECT_THAT(done.err, HasSubstr("not a terminal"));
  EXPECT_EQ(strata({"run", "-t", "--rm", "debian", "tty"}).out, "/dev/pts/0\r\n");
  EXPECT_EQ(strata({"exec", "-it", "absent", "true"}, "x").status, 125);
}

TEST_F(Terminal, DetachedWithTerminalLogsIt) {
  ok({"run", "-dt", "--name", "web", "debian", "sh", "-c", "tty; echo err >&2"});
  ok({"wait", "web"});
  const auto logs = strata({"logs", "web"});
  EXPECT_EQ(logs.out, "/dev/pts/0\r\nerr\r\n");
  EXPECT_EQ(logs.err, "");
}

}  // namespace
}  // namespace strata::container
