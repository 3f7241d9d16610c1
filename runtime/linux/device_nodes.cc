#include "runtime/linux/device_nodes.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstring>

#include "runtime/linux/path_in_root.h"
#include "unionfs/base/unique_fd.h"

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

Result<void> give_dev_to(int dev, uid_t uid, gid_t gid) {
  const auto give = [&](const char* name) {
    return ::fchownat(dev, name, uid, gid, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) == 0 ||
           errno == ENOENT;
  };
  bool given = give("");
  for (const auto& node : kNodes) given = given && give(node.name);
  for (const auto& link : kLinks) given = given && give(link.name);
  if (!given) return fail_errno("give /dev to the container's root");
  return {};
}

Result<DeviceNode> device_node(const oci::Device& device) {
  const std::string at = "linux.devices: " + device.path;
  if (!device.path.starts_with('/') || device.path.ends_with('/') ||
      (device.path + "/").find("/../") != std::string::npos)
    return fail(EINVAL, at + ": not the absolute path of a node");
  constexpr mode_t kForAll = 0666;
  constexpr uint32_t kModeBits = 07777;
  DeviceNode node{.path = device.path};
  node.mode = static_cast<mode_t>(device.file_mode.value_or(kForAll) & kModeBits);
  node.uid = device.uid.value_or(0);
  node.gid = device.gid.value_or(0);
  if (device.type == "p") {
    node.mode |= S_IFIFO;
    return node;
  }
  if (device.type != "c" && device.type != "u" && device.type != "b")
    return fail(EINVAL, at + ": unknown type '" + device.type + "'");
  constexpr int64_t kMaxMajor = 0xfff;  // MINORBITS is 20
  constexpr int64_t kMaxMinor = 0xfffff;
  if (device.major < 0 || device.major > kMaxMajor || device.minor < 0 || device.minor > kMaxMinor)
    return fail(EINVAL, at + ": number out of range");
  node.mode |= device.type == "b" ? S_IFBLK : S_IFCHR;
  node.number = ::makedev(static_cast<unsigned>(device.major), static_cast<unsigned>(device.minor));
  return node;
}

int make_node(int root, const char* path, const DeviceNode& node) noexcept {
  std::array<char, PATH_MAX> directory{};
  const char* name = std::strrchr(path, '/') + 1;
  const auto size = static_cast<size_t>(name - path);
  if (size >= directory.size()) {
    errno = ENAMETOOLONG;
    return -1;
  }
  std::memcpy(directory.data(), path, size);
  const UniqueFd parent(open_mount_point(root, directory.data(), PointKind::kDirectory));
  if (!parent) return -1;
  if (::mknodat(parent.get(), name, node.mode, node.number) == 0)
    return ::fchownat(parent.get(), name, node.uid, node.gid, AT_SYMLINK_NOFOLLOW);
  struct stat st {};
  if (errno != EEXIST || ::fstatat(parent.get(), name, &st, AT_SYMLINK_NOFOLLOW) < 0) return -1;
  if ((st.st_mode & S_IFMT) == (node.mode & S_IFMT) && st.st_rdev == node.number) return 0;
  errno = EEXIST;
  return -1;
}

}  // namespace strata::linux
