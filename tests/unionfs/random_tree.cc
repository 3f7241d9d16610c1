#include "tests/unionfs/random_tree.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "unionfs/base/unique_fd.h"

namespace strata::testing {
namespace {

class Maker {
 public:
  Maker(const std::filesystem::path& root, uint64_t seed, const RandomTreeOptions& options)
      : random_(seed), options_(options), directories_{root} {}

  void run() {
    for (int i = 0; i < options_.entries; ++i) add();
    // Deepest first: a time set on a directory must not be undone by what is made in it.
    for (auto it = directories_.rbegin(); it != directories_.rend(); ++it) dress(*it, S_IFDIR);
  }

 private:
  uint64_t below(uint64_t limit) { return random_() % limit; }
  bool once_in(uint64_t n) { return below(n) == 0; }

  template <class Container>
  const auto& one_of(const Container& container) {
    return container[below(std::size(container))];
  }

  std::string new_name() {
    static const std::string kStems[] = {
        "a",          "file",      "\xc3\xbc",  "e\xcc\x81",          "\xff\xfe",
        "with space", "new\nline", "-x",        "%41=;\\\"'*",        ".hidden",
        "..dots",     "\x01\x7f",  ".whiteout", std::string(240, 'l')};
    return one_of(kStems) + std::to_string(counter_++);
  }

  void add() {
    const auto path = one_of(directories_) / new_name();
    switch (below(options_.is_layer ? 12 : 10)) {
      case 0:
      case 1:
        ASSERT_EQ(::mkdir(path.c_str(), 0700), 0);
        directories_.push_back(path);
        return;
      case 2:
        ASSERT_EQ(::symlink(once_in(2) ? "../over there/\xe9" : new_name().c_str(), path.c_str()),
                  0);
        return dress(path, S_IFLNK);
      case 3:
        if (files_.empty()) return;
        ASSERT_EQ(::link(one_of(files_).c_str(), path.c_str()), 0);
        return;
      case 4:
        return make_special(path);
      case 10:
        ASSERT_EQ(::mknod(path.c_str(), S_IFCHR, 0), 0);
        return;
      case 11:
        ASSERT_EQ(::setxattr(one_of(directories_).c_str(), "trusted.overlay.opaque", "y", 1, 0), 0);
        return;
      default:
        make_file(path);
        return dress(path, S_IFREG);
    }
  }

  void make_special(const std::filesystem::path& path) {
    static const mode_t kTypes[] = {S_IFCHR, S_IFBLK, S_IFIFO};
    const mode_t type = one_of(kTypes);
    ASSERT_EQ(::mknod(path.c_str(), type | 0600,
                      makedev(static_cast<unsigned>(1 + below(4000)),
                              static_cast<unsigned>(below(200'000)))),
              0);
    dress(path, type);
  }

  void make_file(const std::filesystem::path& path) {
    static const size_t kSizes[] = {0, 1, 511, 512, 513, 4096, 70'000, 300'000};
    std::string content(options_.small_files ? below(600) : one_of(kSizes), '\0');
    for (char& c : content) c = static_cast<char>(random_());
    std::ofstream(path, std::ios::binary) << content;
    if (once_in(4)) {  // holes in the middle and at the end
      const off_t far = static_cast<off_t>(1'000'000 + below(3'000'000));
      const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
      ASSERT_EQ(::pwrite(file.get(), "far", 3, far), 3);
      ASSERT_EQ(::ftruncate(file.get(), far + static_cast<off_t>(below(1'000'000))), 0);
    }
    files_.push_back(path);
  }

  // Owner, mode, extended attributes, time.
  void dress(const std::filesystem::path& path, mode_t type) {
    static const unsigned kIds[] = {0, 0, 0, 33, 1000, 65534, 3'000'000, 4'294'967'294U};
    static const mode_t kModes[] = {0644, 0755, 0600, 0000, 04755, 02755, 01777, 0444, 06111};
    ASSERT_EQ(::lchown(path.c_str(), one_of(kIds), one_of(kIds)), 0);
    if (type != S_IFLNK) {
      ASSERT_EQ(::chmod(path.c_str(), one_of(kModes)), 0);
    }
    if (once_in(3)) set_xattr(path, "trusted.note", std::string("b\0i\nn=", 6));
    if (once_in(3) && (type == S_IFREG || type == S_IFDIR))
      set_xattr(path, "user.x-y_z.1", options_.empty_xattrs ? "" : "value");
    if (once_in(4) && type == S_IFREG)
      set_xattr(path, "security.capability",
                std::string("\x01\0\0\x02\0\x20\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20));
    const timespec times[2] = {{.tv_nsec = UTIME_OMIT},
                               {.tv_sec = static_cast<time_t>(below(2'000'000'000)),
                                .tv_nsec = static_cast<long>(below(1'000'000'000))}};
    ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW), 0);
  }

  static void set_xattr(const std::filesystem::path& path, const char* name,
                        const std::string& value) {
    ASSERT_EQ(::lsetxattr(path.c_str(), name, value.data(), value.size(), 0), 0) << path;
  }

  std::mt19937_64 random_;
  RandomTreeOptions options_;
  std::vector<std::filesystem::path> directories_, files_;
  int counter_ = 0;
};

}  // namespace

void make_random_tree(const std::filesystem::path& root, uint64_t seed,
                      const RandomTreeOptions& options) {
  Maker(root, seed, options).run();
}

}  // namespace strata::testing
