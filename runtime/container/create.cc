#include "runtime/container/create.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/container/names.h"
#include "runtime/container/root.h"
#include "unionfs/base/undo.h"

namespace strata::container {
namespace {

// Overlayfs shows the upper directory's own owner and mode as those of the root.
Result<void> make_upper(const image::Store& store, const Files& files, const Record& record) {
  if (record.layers.empty()) return fail(EINVAL, "image " + record.image_name + " has no layers");
  const auto top = store.layer_path(record.layers.front());
  struct stat st {};
  if (::stat(top.c_str(), &st) < 0) return fail_errno("look at layer " + top.string());
  constexpr mode_t kPermissions = 07777;
  const auto upper = files.upper();
  if (::mkdir(upper.c_str(), 0700) < 0) return fail_errno("create directory " + upper.string());
  if ((st.st_uid != 0 || st.st_gid != 0) && ::chown(upper.c_str(), st.st_uid, st.st_gid) < 0)
    return fail_errno("chown " + upper.string());
  if (::chmod(upper.c_str(), st.st_mode & kPermissions) < 0)
    return fail_errno("chmod " + upper.string());
  if (::mkdir(files.work().c_str(), 0700) < 0)
    return fail_errno("create directory " + files.work().string());
  return {};
}

// Gives the record its name for good.
Result<void> claim(const image::Store& store, Record& record) {
  if (!record.name.empty()) {
    STRATA_TRY(const bool claimed, claim_name(store, record.name, record.id));
    if (claimed) return {};
    return fail(EEXIST, "the name " + record.name + " is in use by another container ('strata rm " +
                            record.name + "' removes it)");
  }
  constexpr unsigned kAttempts = 10'000;
  for (unsigned attempt = 0; attempt < kAttempts; ++attempt) {
    std::string name = default_name(record.id, attempt);
    STRATA_TRY(const bool claimed, claim_name(store, name, record.id));
    if (!claimed) continue;
    record.name = std::move(name);
    return {};
  }
  return fail(EEXIST, "no free name is left for a container: give it one with --name");
}

void choose_presenter(const image::Store& store, const CreateOptions& options, Record& record) {
  if (options.presenter) {
    record.presenter = *options.presenter;
    return;
  }
  auto choice = default_presenter(store, record.layers.size());
  record.presenter = choice.kind;
  record.presenter_reason = std::move(choice.reason);
}

Result<void> write_new(const std::filesystem::path& path, std::string_view content) {
  STRATA_TRY(const UniqueFd fd, open_file(path, O_WRONLY | O_CREAT | O_EXCL, 0600));
  const ssize_t n = ::write(fd.get(), content.data(), content.size());
  if (n != static_cast<ssize_t>(content.size()))
    return fail_errno("write " + path.string(), n < 0 ? errno : ENOSPC);
  return {};
}

}  // namespace

Result<Created> create(const image::Store& store, std::string_view image,
                       const CreateOptions& options) {
  // Until the file `image` stands, only this lock keeps the image from being removed.
  std::optional<image::StoreLock> in_use;
  STRATA_TRY(in_use, store.lock_shared());
  STRATA_TRY(const image::Image found, store.get_runnable(image));
  STRATA_TRY(std::string id, new_id());
  STRATA_TRY(Record record, make_record(found, image, options, std::move(id)));
  choose_presenter(store, options, record);

  const Files files(store, record.id);
  if (::mkdir(files.dir().c_str(), 0700) < 0)
    return fail_errno("create directory " + files.dir().string());
  Undo undo;
  undo.add([&] { (void)remove_tree(files.dir()); });
  // ENOENT if somebody who clears away what is not locked was quicker than we.
  STRATA_TRY(auto lock, ContainerLock::take(files, std::chrono::milliseconds(0)));
  STRATA_CHECK(write_new(files.image(), record.image_id + "\n"));
  in_use.reset();
  STRATA_CHECK(make_upper(store, files, record));
  STRATA_CHECK(claim(store, record));
  undo.release();
  return Created{Container(store, std::move(record)), std::move(lock)};
}

}  // namespace strata::container
