// strata images [-q] [--json]

#include <cstdio>

#include "runtime/cli/image_commands.h"
#include "runtime/cli/table.h"
#include "runtime/image/image_json.h"

namespace strata::cli {
namespace {

struct Options {
  bool quiet = false;
  bool json = false;
};

// "2024-05-17 09:30:12" of an RFC 3339 time in UTC.
std::string readable_time(const std::string& created) {
  constexpr size_t kDate = 10;
  constexpr size_t kDateAndTime = 19;
  if (created.size() < kDateAndTime) return created.empty() ? "-" : printable(created);
  std::string text = printable(created.substr(0, kDateAndTime));
  text[kDate] = ' ';
  return text;
}

void print_table(const std::vector<image::Image>& images) {
  std::vector<std::vector<std::string>> rows{{"NAME", "ID", "CREATED", "SIZE", "LAYERS"}};
  for (const auto& image : images) {
    const auto add = [&](const std::string& name) {
      rows.push_back({name, short_id(image.id), readable_time(image.config.created),
                      human_size(image.size), std::to_string(image.layers.size())});
    };
    for (const auto& name : image.names) add(name);
    if (image.names.empty()) add("<none>");
  }
  std::fputs(format_table(rows).c_str(), stdout);
}

Result<void> print_json(const std::vector<image::Image>& images) {
  std::string text = "[";
  for (const auto& image : images) {
    STRATA_TRY(const std::string object, image::image_to_json(image));
    text += (text.size() > 1 ? ",\n" : "\n") + object;
  }
  std::printf("%s%s]\n", text.c_str(), images.empty() ? "" : "\n");
  return {};
}

Result<int> list(const Globals& globals, const Options& options) {
  STRATA_TRY(const image::Store store, image::Store::open_existing(globals.root));
  STRATA_TRY(const auto images, store.list());
  if (options.json) {
    STRATA_CHECK(print_json(images));
  } else if (options.quiet) {
    for (const auto& image : images) std::printf("%s\n", image.id.c_str());
  } else {
    print_table(images);
  }
  return 0;
}

}  // namespace

Action add_images(CLI::App& app) {
  auto options = std::make_shared<Options>();
  auto* quiet = app.add_flag("-q,--quiet", options->quiet, "print IDs only");
  app.add_flag("--json", options->json, "print the images as 'strata inspect' does")
      ->excludes(quiet);
  return [options](const Globals& globals) { return list(globals, *options); };
}

}  // namespace strata::cli
