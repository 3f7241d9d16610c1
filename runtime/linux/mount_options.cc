#include "runtime/linux/mount_options.h"

#include <sys/mount.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace strata::linux {
namespace {

struct Attribute {
  std::string_view name;
  uint64_t set;
  uint64_t clear;
};

// The three atime settings exclude each other: to set one is to clear the field (mount_setattr(2)).
constexpr auto kAttributes = std::to_array<Attribute>({
    {"ro", MOUNT_ATTR_RDONLY, 0},
    {"rw", 0, MOUNT_ATTR_RDONLY},
    {"nosuid", MOUNT_ATTR_NOSUID, 0},
    {"suid", 0, MOUNT_ATTR_NOSUID},
    {"nodev", MOUNT_ATTR_NODEV, 0},
    {"dev", 0, MOUNT_ATTR_NODEV},
    {"noexec", MOUNT_ATTR_NOEXEC, 0},
    {"exec", 0, MOUNT_ATTR_NOEXEC},
    {"nodiratime", MOUNT_ATTR_NODIRATIME, 0},
    {"diratime", 0, MOUNT_ATTR_NODIRATIME},
    {"nosymfollow", MOUNT_ATTR_NOSYMFOLLOW, 0},
    {"symfollow", 0, MOUNT_ATTR_NOSYMFOLLOW},
    {"relatime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME},
    {"norelatime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME},
    {"noatime", MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME},
    {"atime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME},
    {"strictatime", MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME},
    {"nostrictatime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME},
});

struct Propagation {
  std::string_view name;
  uint64_t flag;
};

constexpr auto kPropagations = std::to_array<Propagation>({
    {"private", MS_PRIVATE},
    {"slave", MS_SLAVE},
    {"shared", MS_SHARED},
    {"unbindable", MS_UNBINDABLE},
});

const Attribute* find_attribute(std::string_view name) {
  for (const auto& attribute : kAttributes)
    if (attribute.name == name) return &attribute;
  return nullptr;
}

bool apply_propagation(std::string_view name, MountOptions& parsed) {
  for (const bool recursive : {false, true}) {
    if (recursive && !name.starts_with('r')) return false;
    const auto plain = recursive ? name.substr(1) : name;
    for (const auto& propagation : kPropagations) {
      if (propagation.name != plain) continue;
      parsed.propagation = propagation.flag;
      parsed.recursive_propagation = recursive;
      return true;
    }
  }
  return false;
}

// What is neither an attribute nor the file system's; false for everything else.
bool apply_special(std::string_view name, MountOptions& parsed) {
  constexpr auto kNothing = std::to_array<std::string_view>(
      {"defaults", "silent", "loud", "noiversion", "nolazytime", "nomand", "async"});
  if (std::find(kNothing.begin(), kNothing.end(), name) != kNothing.end()) return true;
  if (name == "bind" || name == "rbind") {
    parsed.bind = true;
    parsed.recursive = name == "rbind";
  } else if (name == "tmpcopyup") {
    parsed.copy_up = true;
  } else if (name == "idmap" || name == "ridmap") {
    parsed.id_mapped = true;
    parsed.recursive_id_map = name == "ridmap";
  } else {
    return false;
  }
  return true;
}

bool apply_attribute(std::string_view name, MountOptions& parsed) {
  if (const auto* plain = find_attribute(name)) {
    parsed.set = (parsed.set & ~plain->clear) | plain->set;
    parsed.clear = (parsed.clear & ~plain->set) | plain->clear;
    // The file system has a read-only state of its own.
    if (name == "ro" || name == "rw")
      parsed.parameters.push_back({.key = std::string(name), .is_flag = true});
    return true;
  }
  const auto* recursive = name.starts_with('r') ? find_attribute(name.substr(1)) : nullptr;
  if (recursive == nullptr) return false;
  parsed.recursive_set = (parsed.recursive_set & ~recursive->clear) | recursive->set;
  parsed.recursive_clear = (parsed.recursive_clear & ~recursive->set) | recursive->clear;
  return true;
}

}  // namespace

Result<MountOptions> parse_mount_options(std::span<const std::string> options) {
  MountOptions parsed;
  for (const auto& option : options) {
    if (option.empty() || option.find('\0') != std::string::npos)
      return fail(EINVAL, "empty mount option");
    if (option == "remount" || option.starts_with("idmap=") || option.starts_with("ridmap="))
      return fail(EINVAL, "mount option '" + option + "' is not supported");
    if (!apply_special(option, parsed) && !apply_propagation(option, parsed) &&
        !apply_attribute(option, parsed)) {
      const auto equals = option.find('=');
      if (equals == std::string::npos)
        parsed.parameters.push_back({.key = option, .is_flag = true});
      else
        parsed.parameters.push_back(
            {.key = option.substr(0, equals), .value = option.substr(equals + 1)});
    }
  }
  return parsed;
}

}  // namespace strata::linux
