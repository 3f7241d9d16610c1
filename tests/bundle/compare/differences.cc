// What is meant to differ from runc 1.1 and crun 1.8, and why.

#include <algorithm>
#include <regex>

#include "tests/bundle/compare/picture.h"

namespace strata::bundle {
namespace {

struct Intended {
  unsigned peers;
  const char* line;  // a regular expression for the line, in whichever picture it is
  const char* why;
};

const Intended kIntended[] = {
    {kBoth, "mounts\t/ .*", "the root's own options: each has another way to pivot"},
    {kBoth, "(mounts|paths)\t/sys/fs/cgroup.*",
     "ours shows the hierarchies in which the container has a cgroup of its own, and is read-only"},
    {kBoth, "mounts\t[^ ]+ tmpfs / ro,relatime tmpfs .*",
     "directories are masked by one tmpfs that takes no file; the others make one for each"},
    {kBoth, "cgroups\tdevices/devices.list c (5:1|10:200) rwm",
     "ours lets /dev/console be used, as newer runcs do, and not /dev/net/tun"},
    {kCrun, "mounts\t/proc/[^ ]+ proc .*",
     "crun clears nosuid, nodev and noexec on the read-only paths"},
    {kCrun, "mounts\t[^ ]+ (devtmpfs|tmpfs) /null .*",
     "crun masks files with the host's /dev/null"},
    {kCrun, "mounts\t/sys sysfs .*", "crun leaves the superblock writable"},
    {kCrun, "devices\t/dev/core .*", "crun makes the link even where there is no /proc/kcore"},
    {kCrun, "status\tSigBlk:.*", "crun leaves a signal blocked where there are hooks"},
    {kBoth, "environment\tHOME=/", "HOME is the engine's to set, who knows about users"},
    {kRunc, "(files|paths)\t/mnt .*", "runc gives a tmpfs the mode of what it covers"},
    {kBoth, "(mounts|devices)\t/dev/(full|null|random|tty|urandom|zero) .*",
     "in a user namespace the others bind the host's nodes, which nobody owns there"},
    {kRunc, "mounts\t[^ ]+ (devtmpfs|tmpfs) /null .*", "and so mask files with them"},
    {kBoth, "status\tSigIgn:.*", "what the caller ignores; posix_spawn(3) leaves two more so"},
};

bool is_intended(const std::string& line, unsigned peer) {
  return std::any_of(std::begin(kIntended), std::end(kIntended), [&](const Intended& intended) {
    return (intended.peers & peer) != 0 && std::regex_match(line, std::regex(intended.line));
  });
}

}  // namespace

std::vector<std::string> differences(const Picture& ours, const Picture& theirs,
                                     const std::string& peer) {
  const unsigned bit = peer == "runc" ? kRunc : kCrun;
  if (ours.ran != theirs.ran) return {"ours: " + ours.error, peer + ": " + theirs.error};
  std::vector<std::string> found;
  // Of cgroups those files that both show.
  const auto shows = [](const Picture& picture, const std::string& line) {
    const auto file = line.substr(0, line.find(' ') + 1);
    const auto first = picture.lines.lower_bound(file);
    return first != picture.lines.end() && first->starts_with(file);
  };
  const auto collect = [&](const Picture& has, const Picture& lacks, const std::string& who) {
    for (const auto& line : has.lines)
      if (!lacks.lines.contains(line) && !is_intended(line, bit) &&
          (!line.starts_with("cgroups\t") || shows(lacks, line)))
        found.push_back(who + ": " + line);
  };
  collect(ours, theirs, "ours");
  collect(theirs, ours, peer);
  return found;
}

}  // namespace strata::bundle
