// Paths of a container, resolved from outside of it. Async-signal-safe.
#pragma once

namespace strata::linux {

enum class PointKind { kDirectory, kPlainDirectory, kFile, kPlainFile };

// An O_PATH descriptor for `path` (absolute) inside `root`; what is missing is made: directories
// (0755), and at the end a directory or an empty file. Symbolic links are followed inside the root,
// dangling ones made good; with the plain kinds there must be none. -1 with errno: ELOOP, ENOTDIR
// where an image has put something else, ….
[[nodiscard]] int open_mount_point(int root, const char* path, PointKind kind) noexcept;

// The same for what must be there already: ENOENT otherwise.
[[nodiscard]] int open_in_root(int root, const char* path) noexcept;

// Whether it is of a procfs: what the kernel answers from, and no likeness of it.
[[nodiscard]] bool is_procfs(int fd) noexcept;

}  // namespace strata::linux
