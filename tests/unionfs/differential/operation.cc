#include "tests/unionfs/differential/operation.h"

#include <array>

namespace strata::testing {
namespace {

constexpr std::array<const char*, kCalls> kNames = {
    "create", "write",  "overwrite", "read",     "mkdir",    "mknod",    "mkfifo", "symlink",
    "link",   "unlink", "rmdir",     "rename",   "renameno", "exchange", "chmod",  "chown",
    "utime",  "trunc",  "setxattr",  "getxattr", "rmxattr",  "readlink", "stat",   "list"};

// What changes names is drawn more often than what only looks.
constexpr std::array<Call, 42> kDrawn = {
    Call::kCreate,         Call::kCreate,    Call::kCreate,          Call::kWrite,
    Call::kWrite,          Call::kOverwrite, Call::kOverwrite,       Call::kRead,
    Call::kMkdir,          Call::kMkdir,     Call::kMkdir,           Call::kMkdir,
    Call::kMknod,          Call::kMkfifo,    Call::kSymlink,         Call::kSymlink,
    Call::kLink,           Call::kLink,      Call::kUnlink,          Call::kUnlink,
    Call::kUnlink,         Call::kUnlink,    Call::kRmdir,           Call::kRmdir,
    Call::kRmdir,          Call::kRename,    Call::kRename,          Call::kRename,
    Call::kRename,         Call::kRename,    Call::kRenameNoReplace, Call::kRenameExchange,
    Call::kRenameExchange, Call::kChmod,     Call::kChown,           Call::kUtimens,
    Call::kTruncate,       Call::kSetXattr,  Call::kGetXattr,        Call::kRemoveXattr,
    Call::kReadlink,       Call::kStat};

unsigned below(std::mt19937_64& random, unsigned bound) {
  return static_cast<unsigned>(random() % bound);
}

std::string random_path(std::mt19937_64& random) {
  static constexpr std::array<const char*, 5> kComponents = {"a", "b", "c", "d", "e"};
  std::string path;
  const unsigned depth = 1 + below(random, 3);
  for (unsigned i = 0; i < depth; ++i) {
    if (i > 0) path += below(random, 60) == 0 ? "//" : "/";
    const unsigned odd = below(random, 80);
    path += odd == 0 ? ".." : odd == 1 ? "." : kComponents[below(random, kComponents.size())];
  }
  if (below(random, 50) == 0) path += "/";
  return path;
}

std::string random_target(std::mt19937_64& random) {
  const unsigned kind = below(random, 4);
  if (kind == 0) return "/" + random_path(random);
  if (kind == 1) return "../" + random_path(random);
  return random_path(random);
}

std::string random_xattr(std::mt19937_64& random) {
  static constexpr std::array<const char*, 5> kXattrs = {
      "user.x", "trusted.y", "trusted.overlay.opaque", "trusted.overlay.z", "user.overlay.w"};
  return kXattrs[below(random, kXattrs.size())];
}

}  // namespace

Operation random_operation(std::mt19937_64& random) {
  Operation operation;
  operation.call = kDrawn[below(random, kDrawn.size())];
  operation.path = random_path(random);
  operation.number = below(random, 1U << 16);
  switch (operation.call) {
    case Call::kLink:
    case Call::kRename:
    case Call::kRenameNoReplace:
    case Call::kRenameExchange:
      operation.other = random_path(random);
      break;
    case Call::kSymlink:
      operation.other = random_target(random);
      break;
    case Call::kSetXattr:
    case Call::kGetXattr:
    case Call::kRemoveXattr:
      operation.other = random_xattr(random);
      break;
    default:
      break;
  }
  return operation;
}

bool makes_whiteout(const Operation& operation) {
  return operation.call == Call::kMknod && operation.number % 3 == 0;
}

std::optional<Call> parse_call(std::string_view name) {
  for (size_t i = 0; i < kNames.size(); ++i)
    if (name == kNames[i]) return static_cast<Call>(i);
  return std::nullopt;
}

std::string to_text(const Operation& operation) {
  std::string text = kNames[static_cast<size_t>(operation.call)];
  text += " " + operation.path;
  if (!operation.other.empty()) text += " " + operation.other;
  return text + " " + std::to_string(operation.number);
}

}  // namespace strata::testing
