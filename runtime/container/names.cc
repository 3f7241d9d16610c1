#include "runtime/container/names.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>

#include "runtime/container/files.h"
#include "unionfs/base/file.h"

namespace strata::container {
namespace {

constexpr std::array<std::string_view, 64> kAdjectives{
    "able",   "agile",  "amber",  "ample",  "azure", "bold",   "brave",  "brisk",
    "calm",   "candid", "clear",  "clever", "cool",  "cosmic", "crisp",  "daring",
    "deft",   "eager",  "early",  "easy",   "fair",  "fast",   "fine",   "fond",
    "frank",  "free",   "fresh",  "gentle", "glad",  "golden", "grand",  "happy",
    "hardy",  "honest", "jolly",  "keen",   "kind",  "lively", "loyal",  "lucid",
    "mellow", "merry",  "mighty", "modest", "neat",  "nimble", "noble",  "patient",
    "proud",  "quick",  "quiet",  "rapid",  "ready", "robust", "serene", "sharp",
    "silver", "smart",  "steady", "sunny",  "swift", "tidy",   "warm",   "witty"};
constexpr std::array<std::string_view, 64> kNouns{
    "basalt", "beacon", "bison",  "brook",  "canyon",  "cedar",   "chalk",   "cliff",
    "comet",  "coral",  "crane",  "delta",  "dune",    "ember",   "falcon",  "fern",
    "fjord",  "flint",  "forest", "gneiss", "garnet",  "glacier", "granite", "grove",
    "harbor", "heron",  "island", "jade",   "jasper",  "lagoon",  "lark",    "lichen",
    "loam",   "lynx",   "maple",  "marble", "meadow",  "mesa",    "moss",    "oak",
    "onyx",   "opal",   "orchid", "otter",  "pebble",  "pine",    "quartz",  "raven",
    "reef",   "ridge",  "river",  "schist", "sequoia", "shale",   "slate",   "spruce",
    "summit", "tern",   "topaz",  "tundra", "valley",  "willow",  "wren",    "zephyr"};

constexpr size_t kMaxName = 128;

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool exists(const image::Store& store, std::string_view id) {
  return ::access(Files(store, id).dir().c_str(), F_OK) == 0;
}

// Makes the link; false if there is one already. The directory comes into being with the first.
Result<bool> make_link(const std::filesystem::path& link, std::string_view id) {
  const std::string target(id);
  if (::symlink(target.c_str(), link.c_str()) == 0) return true;
  if (errno == ENOENT) {
    constexpr mode_t kPrivate = 0700;
    STRATA_CHECK(make_dirs(link.parent_path(), kPrivate));
    if (::symlink(target.c_str(), link.c_str()) == 0) return true;
  }
  if (errno == EEXIST) return false;
  return fail_errno("give the name " + link.filename().string() + " to a container");
}

}  // namespace

Result<std::string> new_id() {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::array<uint8_t, kIdDigits / 2> bytes{};
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
    return fail_errno("get random bytes");
  std::string id;
  for (const uint8_t byte : bytes) {
    id += kHex[byte >> 4U];
    id += kHex[byte & 0xFU];
  }
  return id;
}

bool is_id(std::string_view text) {
  return text.size() == kIdDigits && text.find_first_not_of("0123456789abcdef") == text.npos;
}

std::string default_name(std::string_view id, unsigned attempt) {
  constexpr size_t kDigits = 3;  // 12 bits: an adjective and a noun of 64 each
  constexpr unsigned kHexadecimal = 16;
  unsigned bits = 0;
  const auto digits = id.substr(id.size() - std::min(kDigits, id.size()));
  std::from_chars(digits.data(), digits.data() + digits.size(), bits, kHexadecimal);
  std::string name(kAdjectives[bits % kAdjectives.size()]);
  name.append("_").append(kNouns[bits / kAdjectives.size() % kNouns.size()]);
  if (attempt > 0) name += std::to_string(attempt);
  return name;
}

Result<void> check_name(std::string_view name) {
  const bool good = name.size() >= 2 && name.size() <= kMaxName && is_alphanumeric(name.front()) &&
                    std::all_of(name.begin(), name.end(), [](char c) {
                      return is_alphanumeric(c) || c == '_' || c == '.' || c == '-';
                    });
  if (good) return {};
  return fail(EINVAL, "'" + std::string(name) +
                          "' can't be a container's name: it takes two or more of a-z A-Z 0-9 _ . "
                          "-, the first a letter or digit");
}

// Under a lock: two that see the same stale link must not remove each other's new one.
Result<void> remove_stale_name(const image::Store& store, std::string_view name) {
  const Files files(store, "");
  STRATA_TRY(const UniqueFd lock, open_file(files.names(), O_RDONLY | O_DIRECTORY));
  while (::flock(lock.get(), LOCK_EX) < 0)
    if (errno != EINTR) return fail_errno("lock " + files.names().string());
  STRATA_TRY(const auto owner, lookup_name(store, name));
  const auto link = files.name_link(name);
  if (owner && exists(store, *owner)) return {};
  if (::unlink(link.c_str()) < 0 && errno != ENOENT) return fail_errno("remove " + link.string());
  return {};
}

Result<bool> claim_name(const image::Store& store, std::string_view name, std::string_view id) {
  const Files files(store, id);
  const auto link = files.name_link(name);
  STRATA_TRY(const bool claimed, make_link(link, id));
  if (claimed) return true;
  STRATA_CHECK(remove_stale_name(store, name));
  return make_link(link, id);
}

Result<std::optional<std::string>> lookup_name(const image::Store& store, std::string_view name) {
  if (!check_name(name)) return std::optional<std::string>();
  const auto link = Files(store, "").name_link(name);
  std::array<char, kIdDigits + 1> target{};
  const ssize_t n = ::readlink(link.c_str(), target.data(), target.size());
  if (n < 0 && (errno == ENOENT || errno == EINVAL)) return std::optional<std::string>();
  if (n < 0) return fail_errno("read " + link.string());
  std::string id(target.data(), static_cast<size_t>(n));
  return is_id(id) ? std::optional(std::move(id)) : std::nullopt;
}

Result<void> release_name(const image::Store& store, std::string_view name, std::string_view id) {
  STRATA_TRY(const auto owner, lookup_name(store, name));
  if (!owner || *owner != id) return {};
  const auto link = Files(store, id).name_link(name);
  if (::unlink(link.c_str()) < 0 && errno != ENOENT) return fail_errno("remove " + link.string());
  return {};
}

}  // namespace strata::container
