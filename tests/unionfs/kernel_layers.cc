#include "tests/unionfs/kernel_layers.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <random>

#include <gtest/gtest.h>

#include "tests/support/matchers.h"
#include "tests/unionfs/random_tree.h"
#include "unionfs/base/file.h"
#include "unionfs/overlay.h"

namespace strata::testing {
namespace {

using std::filesystem::path;

// Random changes to a tree of which every name may vanish meanwhile.
class Changer {
 public:
  Changer(path root, uint64_t seed) : root_(std::move(root)), random_(seed) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root_))
      paths_.push_back(entry.path());
    std::ranges::sort(paths_);  // the same whatever the file system's order
    std::ranges::shuffle(paths_, random_);
    if (paths_.size() > kMost) paths_.resize(kMost);
  }

  void run() {
    for (const path& target : paths_) {
      const auto status = std::filesystem::symlink_status(target);
      if (std::filesystem::exists(status)) change(target, status.type());
    }
  }

 private:
  static constexpr size_t kMost = 60;

  void change(const path& target, std::filesystem::file_type type) {
    const bool is_directory = type == std::filesystem::file_type::directory;
    const bool is_file = type == std::filesystem::file_type::regular;
    const path other = target.native() + ".new";
    std::error_code ignored;
    switch (random_() % 8) {
      case 0:
        std::filesystem::remove_all(target, ignored);  // a whiteout
        return;
      case 1:  // a directory that hides the one below: opaque
        std::filesystem::remove_all(target, ignored);
        ASSERT_EQ(::mkdir(target.c_str(), 0750), 0) << target;
        return make_random_tree(target, random_(), {.entries = 5});
      case 2:
        std::filesystem::rename(target, other,
                                ignored);  // not of directories that have lower parts
        return;
      case 3:
        if (is_file) std::filesystem::create_hard_link(target, other, ignored);
        return;
      case 4:
        if (type == std::filesystem::file_type::symlink) return;
        ASSERT_EQ(::chmod(target.c_str(), 0711), 0) << target;
        return;
      case 5:
        ASSERT_EQ(::lchown(target.c_str(), 7, 8), 0) << target;
        return;
      case 6:
        if (is_file) append(target);
        return;
      default:
        if (!is_directory) return;
        const path added = target / ("added" + std::to_string(random_()));
        ASSERT_EQ(::mkdir(added.c_str(), 0700), 0) << added;
        make_random_tree(added, random_(), {.entries = 5});
    }
  }

  static void append(const path& target) {
    STRATA_ASSERT_OK(const auto fd, open_file(target, O_WRONLY | O_APPEND));
    ASSERT_EQ(::write(fd.get(), "more", 4), 4);
  }

  path root_;
  std::mt19937_64 random_;
  std::vector<path> paths_;
};

void add_layer(const path& directory, std::vector<path>& top_first, uint64_t seed) {
  const path upper = directory / ("l" + std::to_string(top_first.size()));
  const path work = directory / "work";
  ASSERT_THAT(remove_tree(work), IsOk());
  ASSERT_THAT(make_dirs(upper), IsOk());
  ASSERT_THAT(make_dirs(work), IsOk());
  STRATA_ASSERT_OK(const auto stack, unionfs::LayerStack::open(top_first));
  STRATA_ASSERT_OK(const auto mount, unionfs::mount_overlay(stack, unionfs::Upper{upper, work},
                                                            {.is_volatile = true}));
  const Attached merged(mount.get(), directory / "merged");
  change_tree(merged.path(), seed);
  top_first.insert(top_first.begin(), upper);
}

}  // namespace

Attached::Attached(int mount_fd, std::filesystem::path target) : target_(std::move(target)) {
  EXPECT_THAT(make_dirs(target_), IsOk());
  EXPECT_THAT(unionfs::attach_mount(mount_fd, target_), IsOk());
}

Attached::~Attached() {
  EXPECT_EQ(::umount2(target_.c_str(), MNT_DETACH), 0);
}

std::string Attached::read(const std::string& name) const {
  return read_file(target_ / name).value_or("<" + name + " cannot be read>");
}

void change_tree(const path& root, uint64_t seed) {
  Changer(root, seed).run();
}

std::vector<path> make_kernel_layers(const path& directory, int count, uint64_t seed,
                                     const path& bottom) {
  std::vector<path> top_first = {bottom};
  if (bottom.empty()) {
    top_first = {directory / "l0"};
    EXPECT_THAT(make_dirs(top_first.front()), IsOk());
    make_random_tree(top_first.front(), seed, {.entries = 120});
  }
  while (top_first.size() < static_cast<size_t>(count))
    add_layer(directory, top_first, seed * 1000 + top_first.size());
  return top_first;
}

}  // namespace strata::testing
