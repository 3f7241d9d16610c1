#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "runtime/vm/init/guest.h"

namespace strata::vm::guest {
namespace {

void load_module(std::string_view name) {
  char path[256];
  std::snprintf(path, sizeof path, "/modules/%.*s", static_cast<int>(name.size()), name.data());
  const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0 || (::syscall(SYS_finit_module, fd, "", 0) < 0 && errno != EEXIST))
    fail(kOurFailure, {"load ", path}, errno);
  ::close(fd);
  (void)::unlink(path);  // its memory is the guest's again
}

}  // namespace

void load_modules(const char* list) {
  std::string_view names = read_whole_file(list);
  while (!names.empty()) {
    const size_t end = names.find('\n');
    load_module(names.substr(0, end));
    if (end == std::string_view::npos) return;
    names.remove_prefix(end + 1);
  }
}

}  // namespace strata::vm::guest
