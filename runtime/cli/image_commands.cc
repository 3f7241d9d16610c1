#include "runtime/cli/image_commands.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <limits>

#include "runtime/image/digest.h"
#include "unionfs/base/file.h"

namespace strata::cli {

void add_authoring_options(CLI::App& app, image::Authoring& authoring) {
  app.add_option("-a,--author", authoring.author, "author of the image");
  app.add_option("-m,--message", authoring.message, "comment in the image's history");
  // One value each time it is given, so that what follows is not taken for another change.
  app.add_option("-c,--change", authoring.changes,
                 "change the configuration with a Dockerfile instruction: CMD ENTRYPOINT ENV "
                 "WORKDIR USER EXPOSE VOLUME LABEL STOPSIGNAL (may be given several times)")
      ->allow_extra_args(false);
}

void add_max_size_option(CLI::App& app, image::Limits& limits) {
  app.add_option_function<uint64_t>(
         "--max-size",
         [&limits](const uint64_t& bytes) {
           limits.max_layer_bytes = bytes;
           limits.max_archive_bytes = std::max(limits.max_archive_bytes, bytes);
           limits.max_ratio = std::numeric_limits<uint64_t>::max();
         },
         "let a layer grow to this size on decompression, however small it came (100GB; 64GiB)")
      ->transform(CLI::AsSizeValue(true));
}

image::Report report_to(Progress& progress) {
  return [&progress](std::string_view what) { progress.update(what); };
}

Result<Input> open_input(const std::string& path) {
  if (path == "-") {
    if (::isatty(STDIN_FILENO) != 0)
      return fail(EINVAL, "standard input is a terminal: give a file, or pipe an archive in");
    return Input{.file = {}, .fd = STDIN_FILENO, .name = "standard input"};
  }
  STRATA_TRY(UniqueFd file, open_file(path, O_RDONLY));
  ::posix_fadvise(file.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
  const int fd = file.get();
  return Input{.file = std::move(file), .fd = fd, .name = path};
}

std::string short_id(std::string_view id) {
  constexpr size_t kDigits = 12;
  return std::string(image::is_digest(id) ? image::digest_hex(id).substr(0, kDigits) : id);
}

}  // namespace strata::cli
