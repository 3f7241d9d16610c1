#include "bench/scratch.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <string>
#include <utility>

#include "unionfs/base/file.h"
#include "unionfs/base/terminal.h"

namespace strata::bench {
namespace {

constexpr std::string_view kPrefix = "run-";

std::string name_of(const std::filesystem::path& path) {
  return "strata-bench-" + path.filename().string().substr(kPrefix.size());
}

void remove_abandoned(const std::filesystem::path& parent,
                      const std::function<void(const std::string&)>& on_abandoned) {
  std::error_code ec;
  for (const auto& entry : std::filesystem::directory_iterator(parent, ec)) {
    if (!entry.path().filename().string().starts_with(kPrefix)) continue;
    const auto dir = open_file(entry.path(), O_RDONLY | O_DIRECTORY);
    if (!dir || ::flock(dir->get(), LOCK_EX | LOCK_NB) < 0) continue;
    on_abandoned(name_of(entry.path()));
    // What can't be removed now is met again by the next run.
    [[maybe_unused]] const auto removed = remove_tree(entry.path());
  }
}

}  // namespace

Result<Scratch> Scratch::create(const std::filesystem::path& parent,
                                const std::function<void(const std::string& name)>& on_abandoned) {
  STRATA_CHECK(make_dirs(parent, 0700));
  // Held until the new directory has its own lock, so that no other run takes it for abandoned.
  STRATA_TRY(const UniqueFd parent_lock, open_file(parent, O_RDONLY | O_DIRECTORY));
  if (::flock(parent_lock.get(), LOCK_EX) < 0) return fail_errno("lock " + parent.string());
  remove_abandoned(parent, on_abandoned);
  STRATA_TRY(auto path, make_temp_dir(parent, kPrefix));
  STRATA_TRY(UniqueFd lock, open_file(path, O_RDONLY | O_DIRECTORY));
  if (::flock(lock.get(), LOCK_EX) < 0) return fail_errno("lock " + path.string());
  return Scratch(std::move(path), std::move(lock));
}

std::string Scratch::name() const {
  return name_of(path_);
}

Scratch::Scratch(Scratch&& other) noexcept
    : path_(std::exchange(other.path_, {})), lock_(std::move(other.lock_)) {}

Scratch::~Scratch() {
  if (path_.empty()) return;
  if (const auto removed = remove_tree(path_); !removed)
    print_warning("strata-bench", removed.error().what);
  ::rmdir(path_.parent_path().c_str());  // where this was the last
}

}  // namespace strata::bench
