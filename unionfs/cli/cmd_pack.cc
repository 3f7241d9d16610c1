#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "unionfs/base/file.h"
#include "unionfs/base/stream.h"
#include "unionfs/base/terminal.h"
#include "unionfs/base/undo.h"
#include "unionfs/cli/commands.h"
#include "unionfs/cli/stack_options.h"
#include "unionfs/index/cache.h"
#include "unionfs/layer_tar.h"
#include "unionfs/upper_tar.h"

namespace strata::unionfs::cli {
namespace {

struct Options {
  std::filesystem::path layer;
  std::string lower;  // "": the layer is whole
  std::string tar = "-";
};

void report(const LayerStats& stats) {
  fmt::print(stderr, "{} entries, {} whiteouts, {}\n", stats.entries, stats.whiteouts,
             human_size(stats.bytes));
}

Result<LayerStats> pack_into(const Options& options, ByteSink& sink) {
  if (options.lower.empty()) return pack_layer(options.layer, sink);
  STRATA_TRY(std::vector<std::filesystem::path> layers, split_layers(options.lower));
  STRATA_TRY(LayerStack stack, LayerStack::open(std::move(layers)));
  STRATA_TRY(index::OpenedIndex opened, index::open_index(stack, std::nullopt));
  return pack_upper(std::move(stack), std::move(opened.index), options.layer, sink);
}

Result<int> pack(const Options& options) {
  if (options.tar == "-") {
    if (::isatty(STDOUT_FILENO) != 0)
      return fail(EINVAL, "a tar on a terminal is of no use: give -o FILE or redirect");
    FdSink sink(STDOUT_FILENO, "standard output");
    STRATA_TRY(const LayerStats stats, pack_into(options, sink));
    report(stats);
    return 0;
  }
  const std::string part = options.tar + ".part";
  Undo undo;
  STRATA_TRY(const UniqueFd fd, open_file(part, O_WRONLY | O_CREAT | O_TRUNC, 0644));
  undo.add([&] { ::unlink(part.c_str()); });
  FdSink sink(fd.get(), part);
  STRATA_TRY(const LayerStats stats, pack_into(options, sink));
  if (::rename(part.c_str(), options.tar.c_str()) < 0) return fail_errno("rename " + part);
  undo.release();
  report(stats);
  return 0;
}

Result<int> unpack(const Options& options) {
  // Made aside, so that a tar that is refused leaves nothing.
  std::error_code ignored;
  if (std::filesystem::exists(options.layer, ignored) &&
      !std::filesystem::is_empty(options.layer, ignored))
    return fail(ENOTEMPTY, options.layer.string() + ": it holds something");
  const std::filesystem::path parent = std::filesystem::absolute(options.layer).parent_path();
  STRATA_TRY(const std::filesystem::path aside, make_temp_dir(parent, ".unpack-"));
  Undo undo;
  undo.add([&] { (void)remove_tree(aside); });
  UniqueFd file;
  if (options.tar != "-") {
    STRATA_TRY(file, open_file(options.tar, O_RDONLY));
  }
  FdSource source(options.tar == "-" ? STDIN_FILENO : file.get(), options.tar);
  STRATA_TRY(const LayerStats stats, unpack_layer(source, aside));
  if (::rename(aside.c_str(), options.layer.c_str()) < 0)
    return fail_errno("rename to " + options.layer.string());
  undo.release();
  report(stats);
  return 0;
}

}  // namespace

Action add_pack(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  app.add_option("layer", options->layer, "The layer's directory")->type_name("LAYER")->required();
  app.add_option("-o,--output", options->tar, "The tar (default: standard output)")
      ->type_name("TAR");
  app.add_option("--lower", options->lower, "The layers below, for a layer that refers to them")
      ->type_name("TOP:…:BOTTOM");
  app.footer("What a kernel with metacopy=on or redirect_dir=on wrote refers to the layers below.");
  return [options] { return pack(*options); };
}

Action add_unpack(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  app.add_option("tar", options->tar, "The tar, uncompressed; - is standard input")
      ->type_name("TAR|-")
      ->required();
  app.add_option("layer", options->layer, "The layer's directory, missing or empty")
      ->type_name("LAYER")
      ->required();
  return [options] { return unpack(*options); };
}

}  // namespace strata::unionfs::cli
