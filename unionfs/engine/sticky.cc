#include "unionfs/engine/sticky.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include "unionfs/base/file.h"

namespace strata::unionfs::engine {
namespace {

// 0: none, 1: in directories that all can write to, 2: also in those that the group can.
int protection_of(mode_t mode) {
  const char* setting = nullptr;
  if (S_ISREG(mode)) setting = "/proc/sys/fs/protected_regular";
  if (S_ISFIFO(mode)) setting = "/proc/sys/fs/protected_fifos";
  if (setting == nullptr) return 1;
  const auto value = read_file(setting);
  return value ? std::atoi(value->c_str()) : 0;
}

}  // namespace

Result<void> check_sticky(const Place& place) {
  const Node& file = place.node;
  const mode_t directory = place.parent().mode();
  if ((directory & S_ISVTX) == 0 || (directory & (S_IWGRP | S_IWOTH)) == 0) return {};
  if (file.owner() == place.parent().owner() || file.owner() == ::geteuid()) return {};
  const int protection = protection_of(file.mode());
  if (protection < ((directory & S_IWOTH) != 0 ? 1 : 2)) return {};
  return fail_errno("/" + file.path, EACCES);
}

}  // namespace strata::unionfs::engine
