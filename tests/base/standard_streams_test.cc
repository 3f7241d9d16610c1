#include "unionfs/base/standard_streams.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>

#include <gtest/gtest.h>

#include "tests/support/matchers.h"
#include "unionfs/base/unique_fd.h"

namespace strata {
namespace {

using testing::IsOk;

// The exit status of a child that runs `body` and returns what it gives.
template <class Body>
int status_of_child(Body body) {
  const pid_t pid = ::fork();
  if (pid == 0) ::_exit(body());
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

TEST(StandardStreams, AllThreeAreOpenWhicheverWereClosed) {
  for (unsigned closed = 0; closed < 8; ++closed) {
    const auto body = [closed] {
      for (int fd = 0; fd < 3; ++fd)
        if ((closed >> static_cast<unsigned>(fd) & 1U) != 0) ::close(fd);
      open_standard_streams();
      for (int fd = 0; fd < 3; ++fd)
        if (::fcntl(fd, F_GETFD) < 0) return 1;
      const UniqueFd other(::open("/dev/null", O_RDONLY | O_CLOEXEC));
      return other.get() > STDERR_FILENO ? 0 : 2;
    };
    EXPECT_EQ(status_of_child(body), 0) << "closed: " << closed;
  }
}

TEST(StandardStreams, ThoseInPlaceGiveTheEndAndTakeAnything) {
  const auto body = [] {
    ::close(STDIN_FILENO);
    ::close(STDOUT_FILENO);
    open_standard_streams();
    std::array<char, 8> buffer{};
    if (::read(STDIN_FILENO, buffer.data(), buffer.size()) != 0) return 1;
    return ::write(STDOUT_FILENO, "text", 4) == 4 ? 0 : 2;
  };
  EXPECT_EQ(status_of_child(body), 0);
}

TEST(StandardStreams, OutputThatCouldNotBeWrittenIsAnError) {
  EXPECT_THAT(flush_standard_output(), IsOk());
  const auto body = [] {
    if (std::freopen("/dev/full", "w", stdout) == nullptr) return 1;
    std::fputs("text", stdout);
    const auto flushed = flush_standard_output();
    if (flushed || flushed.error().code != ENOSPC) return 2;
    return flush_standard_output() ? 3 : 0;  // what was lost once stays lost
  };
  EXPECT_EQ(status_of_child(body), 0);
}

}  // namespace
}  // namespace strata
