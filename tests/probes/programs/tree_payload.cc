// A process tree of known shape for the tests of probes: tree_payload MODE [NUMBER].
//
//   calls         100 getppid, 7 write of one byte to /dev/null, 5 failing close
//   threads N     N more threads, each with 10 getppid
//   thread-exec   a thread other than the first executes /bin/true
//   daemon MS     a grandchild in a session of its own, whose parent is gone, works on for MS
//                 milliseconds and exits with 7; the command itself ends at once
//   burst N       N children, one after the other, that execute /bin/true
//   nested N      a chain of N forks, each child forking the next
//   die SIGNAL    kills itself
//   rename        calls itself "\033[31mred" and exits with 3

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>
#include <thread>
#include <vector>

namespace {

void calls() {
  for (int i = 0; i < 100; ++i) ::syscall(SYS_getppid);
  const int null = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  for (int i = 0; i < 7; ++i) {
    if (::write(null, "x", 1) != 1) std::abort();
  }
  for (int i = 0; i < 5; ++i) ::close(-1);
}

void threads(int count) {
  std::vector<std::thread> all;
  all.reserve(static_cast<size_t>(count));
  for (int i = 0; i < count; ++i) {
    all.emplace_back([] {
      for (int j = 0; j < 10; ++j) ::syscall(SYS_getppid);
    });
  }
  for (auto& thread : all) thread.join();
}

void thread_exec() {
  std::thread other([] { ::execl("/bin/true", "true", nullptr); });
  other.join();
}

void daemon(int milliseconds) {
  if (::fork() != 0) return;
  ::setsid();
  if (::fork() != 0) ::_exit(0);
  ::usleep(static_cast<useconds_t>(milliseconds) * 1000);
  ::_exit(7);
}

void burst(int count) {
  const char* argv[] = {"true", nullptr};
  for (int i = 0; i < count; ++i) {
    pid_t pid = -1;
    if (::posix_spawn(&pid, "/bin/true", nullptr, nullptr, const_cast<char**>(argv), environ) != 0)
      std::abort();
    ::waitpid(pid, nullptr, 0);
  }
}

void nested(int depth) {
  for (int i = 0; i < depth; ++i) {
    const pid_t child = ::fork();
    if (child == 0) continue;
    ::waitpid(child, nullptr, 0);
    return;
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view mode = argc > 1 ? argv[1] : "";
  const int number = argc > 2 ? std::atoi(argv[2]) : 1;
  if (mode == "calls") {
    calls();
  } else if (mode == "threads") {
    threads(number);
  } else if (mode == "thread-exec") {
    thread_exec();
  } else if (mode == "daemon") {
    daemon(number);
  } else if (mode == "burst") {
    burst(number);
  } else if (mode == "nested") {
    nested(number);
  } else if (mode == "die") {
    ::kill(::getpid(), number);
  } else if (mode == "rename") {
    ::prctl(PR_SET_NAME, "\033[31mred");
    return 3;
  } else {
    return 2;
  }
  return 0;
}
