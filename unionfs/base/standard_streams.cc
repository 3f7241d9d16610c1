#include "unionfs/base/standard_streams.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace strata {

void open_standard_streams() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    if (::fcntl(fd, F_GETFD) >= 0) continue;
    // The lowest free number is this one. Not O_CLOEXEC: the programs that we start want it, too.
    if (::open("/dev/null", O_RDWR) >= 0) continue;
    // Without a /dev at least the number is taken: whoever uses it gets EBADF.
    (void)::open("/", O_PATH | O_DIRECTORY);
  }
}

Result<void> flush_standard_output() {
  constexpr const char* kWhat = "write to standard output";
  errno = 0;
  const bool failed_before = std::ferror(stdout) != 0;
  if (std::fflush(stdout) != 0) return fail_errno(kWhat);
  if (failed_before) return fail_errno(kWhat, EIO);  // why is forgotten
  return {};
}

}  // namespace strata
