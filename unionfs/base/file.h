// Whole files and directories: small reads, crash-safe writes, removal that cannot be led astray.
//
// Crash safety follows one recipe everywhere: write aside in the same directory, fsync the file,
// rename over the target, fsync the directory (rename(2), fsync(2)). A reader sees the old content
// or the new, never a mixture, also after power loss.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "unionfs/base/result.h"
#include "unionfs/base/unique_fd.h"

namespace strata {

// open(2) with O_CLOEXEC added, retried on EINTR.
[[nodiscard]] Result<UniqueFd> open_file(const std::filesystem::path& path, int flags,
                                         mode_t mode = 0);

// The whole of a file. Fails with EFBIG beyond `limit` bytes. Works for /proc and /sys files, too.
[[nodiscard]] Result<std::string> read_file(const std::filesystem::path& path,
                                            size_t limit = size_t{64} << 20);

// The same, with absence (ENOENT) as nullopt.
[[nodiscard]] Result<std::optional<std::string>> read_file_if_exists(
    const std::filesystem::path& path, size_t limit = size_t{64} << 20);

// One write(2) of `text` to an existing file: for /proc, /sys and cgroup files.
[[nodiscard]] Result<void> write_control(const std::filesystem::path& path, std::string_view text);

enum class Durability {
  kDurable,  // survives power loss: fsync of the file and its directory
  kAtomic,   // survives a kill of the writer; a crash of the machine may lose it (run-time state)
};

// Replaces or creates `path` by the recipe above. The temporary is removed on failure.
[[nodiscard]] Result<void> write_file_atomic(const std::filesystem::path& path,
                                             std::string_view content,
                                             Durability durability = Durability::kDurable,
                                             mode_t mode = 0644);

[[nodiscard]] Result<void> fsync_dir(const std::filesystem::path& dir);

// mkdir -p; existing directories are fine. New ones get `mode`.
[[nodiscard]] Result<void> make_dirs(const std::filesystem::path& path, mode_t mode = 0755);

// rm -rf that never follows a symbolic link and never crosses into a mount (EXDEV instead);
// absence is success. Directories without search permission are made searchable first. Trees of any
// depth: neither stack nor descriptors grow with it.
[[nodiscard]] Result<void> remove_tree(const std::filesystem::path& path);

// A fresh directory "<parent>/<prefix>XXXXXX" (mkdtemp).
[[nodiscard]] Result<std::filesystem::path> make_temp_dir(const std::filesystem::path& parent,
                                                          std::string_view prefix);

}  // namespace strata
