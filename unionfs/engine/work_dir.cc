#include "unionfs/engine/work_dir.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unionfs/base/file.h"

namespace strata::unionfs::engine {

Result<WorkDir> WorkDir::open(const std::filesystem::path& path) {
  const std::filesystem::path own = path / "engine";
  STRATA_CHECK(remove_tree(own));
  if (::mkdir(own.c_str(), 0700) < 0) return fail_errno("create " + own.string());
  STRATA_TRY(UniqueFd fd, open_file(own, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  return WorkDir(own, std::move(fd));
}

Result<std::string> WorkDir::make_whiteout() {
  std::string name = fresh_name();
  if (::mknodat(fd(), name.c_str(), S_IFCHR, 0) < 0) return fail_errno("create a whiteout");
  return name;
}

void WorkDir::discard(const std::string& name) noexcept {
  if (::unlinkat(fd(), name.c_str(), 0) == 0 || errno == ENOENT) return;
  (void)remove_tree(path_ / name);
}

}  // namespace strata::unionfs::engine
