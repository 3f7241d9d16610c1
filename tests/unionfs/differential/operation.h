// One change to a file system as a value: drawn at random, written as a line of a script, applied
// to the engine or to the kernel.
#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>

namespace strata::testing {

enum class Call {
  kCreate,     // open(O_CREAT | O_EXCL) and write
  kWrite,      // open(O_WRONLY) and write a few bytes
  kOverwrite,  // open(O_WRONLY | O_CREAT | O_TRUNC) and write
  kRead,
  kMkdir,
  kMknod,
  kMkfifo,
  kSymlink,
  kLink,
  kUnlink,
  kRmdir,
  kRename,
  kRenameNoReplace,
  kRenameExchange,
  kChmod,
  kChown,
  kUtimens,
  kTruncate,
  kSetXattr,
  kGetXattr,
  kRemoveXattr,
  kReadlink,
  kStat,
  kList,
};
inline constexpr int kCalls = static_cast<int>(Call::kList) + 1;

struct Operation {
  Call call = Call::kStat;
  std::string path;
  std::string other;    // second path, a link's target, an attribute's name
  unsigned number = 0;  // mode, owner, size, device or content, whatever the call wants
};

// Paths of up to three of a few names, now and then with "..", ".", a slash behind or a double one.
[[nodiscard]] Operation random_operation(std::mt19937_64& random);

// Whether the operation makes a 0:0 device on a plain file system.
[[nodiscard]] bool makes_whiteout(const Operation& operation);

// "rename a/b c/d 0"
[[nodiscard]] std::string to_text(const Operation& operation);

// The call of a name in to_text(); nullopt for none.
[[nodiscard]] std::optional<Call> parse_call(std::string_view name);

}  // namespace strata::testing
