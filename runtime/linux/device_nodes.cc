#include "runtime/linux/device_nodes.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <array>

namespace strata::linux {
namespace {

// Numbers: Documentation/admin-guide/devices.txt.
struct Node {
  const char* name;
  unsigned major;
  unsigned minor;
};
constexpr auto kNodes = std::to_array<Node>({{"null", 1, 3},
                                             {"zero", 1, 5},
                                             {"full", 1, 7},
                                             {"random", 1, 8},
                                             {"urandom", 1, 9},
                                             {"tty", 5, 0}});

struct Link {
  const char* name;
  const char* target;
};
constexpr auto kLinks = std::to_array<Link>({{"ptmx", "pts/ptmx"},
                                             {"fd", "/proc/self/fd"},
                                             {"stdin", "/proc/self/fd/0"},
                                             {"stdout", "/proc/self/fd/1"},
                                             {"stderr", "/proc/self/fd/2"},
                                             {"core", "/proc/kcore"}});
constexpr const Link& kCore = kLinks.back();

bool is_node(int dev, const Node& node) {
  struct stat st {};
  return ::fstatat(dev, node.name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISCHR(st.st_mode) &&
         st.st_rdev == ::makedev(node.major, node.minor);
}

}  // namespace

Result<std::vector<std::string>> populate_dev(int dev) {
  std::vector<std::string> refused;
  for (const auto& node : kNodes) {
    if (::mknodat(dev, node.name, S_IFCHR | 0666, ::makedev(node.major, node.minor)) == 0) continue;
    if (errno == EPERM)
      refused.emplace_back(node.name);
    else if (const int code = errno; code != EEXIST || !is_node(dev, node))
      return fail_errno("create /dev/" + std::string(node.name), code);
  }
  for (const auto& link : kLinks) {
    if (&link == &kCore && ::access(link.target, F_OK) < 0) continue;  // kernels without it
    if (::symlinkat(link.target, dev, link.name) < 0 && errno != EEXIST)
      return fail_errno("create /dev/" + std::string(link.name));
  }
  return refused;
}

}  // namespace strata::linux
