// strata save -o FILE [--format oci|docker] [--compression gzip|zstd|none] NAME…

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/cli/image_commands.h"
#include "runtime/image/interrupt.h"
#include "runtime/image/save.h"
#include "unionfs/base/file.h"
#include "unionfs/base/undo.h"

namespace strata::cli {
namespace {

struct Options {
  std::string output = "-";
  std::string format = "oci";
  std::string compression;
  std::vector<std::string> names;
  image::SaveOptions save;
};

bool is_special_file(const std::string& path) {
  struct stat st {};
  return ::stat(path.c_str(), &st) == 0 && !S_ISREG(st.st_mode);
}

// Into a file that appears when it is complete; what stood there stays until then.
Result<void> save_to_file(const image::Store& store, const Options& options) {
  std::string aside = options.output + ".XXXXXX";
  const UniqueFd fd(::mkostemp(aside.data(), O_CLOEXEC));
  if (!fd) return fail_errno("create " + aside);
  Undo undo;
  undo.add([&] { ::unlink(aside.c_str()); });
  image::InterruptibleSink out(fd.get(), aside);
  STRATA_CHECK(image::save_images(store, options.names, out, options.save));
  const mode_t mask = ::umask(0);
  ::umask(mask);
  if (::fchmod(fd.get(), 0666 & ~mask) < 0) return fail_errno("chmod " + aside);
  if (::fsync(fd.get()) < 0) return fail_errno("fsync " + aside);
  if (::rename(aside.c_str(), options.output.c_str()) < 0)
    return fail_errno("rename " + aside + " to " + options.output);
  undo.release();
  return fsync_dir(std::filesystem::path(options.output).parent_path());
}

Result<void> save_to_fd(const image::Store& store, const Options& options, int fd) {
  if (::isatty(fd) != 0)
    return fail(EINVAL, "an archive is nothing to look at on a terminal: use -o FILE, or a pipe");
  image::InterruptibleSink out(fd, options.output);
  return image::save_images(store, options.names, out, options.save);
}

Result<int> save(const Globals& globals, Options& options) {
  STRATA_TRY(options.save.format, image::parse_format(options.format));
  if (!options.compression.empty()) {
    STRATA_TRY(options.save.compression, image::parse_compression(options.compression));
  }
  STRATA_TRY(const image::Store store, image::Store::open_existing(globals.root));
  const image::InterruptGuard guard;
  Progress progress("save:");
  options.save.report = report_to(progress);
  Result<void> saved;
  if (options.output == "-") {
    saved = save_to_fd(store, options, STDOUT_FILENO);
  } else if (is_special_file(options.output)) {
    STRATA_TRY(const UniqueFd fd, open_file(options.output, O_WRONLY));
    saved = save_to_fd(store, options, fd.get());
  } else {
    saved = save_to_file(store, options);
  }
  if (!saved) return fail_in("save", std::move(saved).error());
  return 0;
}

}  // namespace

Action add_save(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("-o,--output", options->output, "file to write; '-' for standard output")
      ->capture_default_str();
  app.add_option("--format", options->format, "oci or docker")->capture_default_str();
  app.add_option("--compression", options->compression,
                 "of the layers: zstd, gzip or none (oci: as they are kept; docker: none)");
  app.add_option("NAME", options->names, "images, by name or ID")->required();
  return [options](const Globals& globals) { return save(globals, *options); };
}

}  // namespace strata::cli
