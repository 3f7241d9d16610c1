#include "runtime/bundle/filter_cache.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstring>

#include "unionfs/base/file.h"

namespace strata::bundle {
namespace {

// No container's name begins with a full stop.
constexpr const char* kDirectory = ".seccomp";

// In front of the instructions, which the source follows.
struct Header {
  uint32_t version = 1;
  uint32_t flags = 0;
  uint32_t notifies = 0;
  uint32_t instructions = 0;
};

// FNV-1a. It only names the file: the source in it says whether it is the right one.
uint64_t hash_of(std::string_view text) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}

std::string write(const linux::SeccompFilter& filter, std::string_view source) {
  const Header header{.flags = filter.flags,
                      .notifies = filter.notifies ? 1U : 0U,
                      .instructions = static_cast<uint32_t>(filter.program.size())};
  const size_t program = filter.program.size() * sizeof(sock_filter);
  std::string text(sizeof header + program, '\0');
  std::memcpy(text.data(), &header, sizeof header);
  if (program > 0) std::memcpy(text.data() + sizeof header, filter.program.data(), program);
  return text.append(source);
}

std::optional<linux::SeccompFilter> read(std::string_view text, std::string_view source) {
  Header header;
  if (text.size() < sizeof header) return std::nullopt;
  std::memcpy(&header, text.data(), sizeof header);
  text.remove_prefix(sizeof header);
  const size_t program = size_t{header.instructions} * sizeof(sock_filter);
  if (header.version != Header{}.version || text.size() < program || text.substr(program) != source)
    return std::nullopt;
  linux::SeccompFilter filter{.flags = header.flags, .notifies = header.notifies != 0};
  filter.program.resize(header.instructions);
  if (program > 0) std::memcpy(filter.program.data(), text.data(), program);
  return filter;
}

// Whether nobody but us (and root) can have written there: the cache decides what containers may
// do.
bool is_ours(const std::filesystem::path& path) {
  struct stat st {};
  constexpr mode_t kOthers = S_IWGRP | S_IWOTH;
  return ::lstat(path.c_str(), &st) == 0 && (st.st_uid == ::geteuid() || st.st_uid == 0) &&
         (st.st_mode & kOthers) == 0;
}

}  // namespace

Result<std::optional<linux::SeccompFilter>> seccomp_filter(const std::filesystem::path& root,
                                                           const oci::Spec& spec) {
  if (!spec.linux.seccomp) return std::nullopt;
  const std::string source = oci::to_json(*spec.linux.seccomp);
  const auto directory = root / kDirectory;
  const auto path = directory / std::to_string(hash_of(source));
  if (const auto text = read_file_if_exists(path); text && *text && is_ours(directory))
    if (auto filter = read(**text, source)) return filter;
  STRATA_TRY(auto filter, linux::compile_seccomp(*spec.linux.seccomp));
  constexpr mode_t kPrivate = 0700;
  // That it can't be kept is no error: the next start takes longer.
  if (make_dirs(directory, kPrivate) && is_ours(directory)) {
    [[maybe_unused]] const auto kept =
        write_file_atomic(path, write(filter, source), Durability::kAtomic, 0600);
  }
  return std::optional(std::move(filter));
}

}  // namespace strata::bundle
