#include "bench/targets/lookup_stack.h"

#include <algorithm>
#include <random>
#include <string>
#include <system_error>

#include "unionfs/base/file.h"

namespace strata::bench {
namespace {

constexpr size_t kPaths = 2000;

// What every made-up layer adds. %: its number.
constexpr const char* kAdded[] = {
    "etc/strata.d/%.conf",        "usr/bin/strata-%",
    "usr/lib/strata/plugin-%.so", "usr/share/doc/strata-%/copyright",
    "usr/share/strata/%/a",       "usr/share/strata/%/b",
    "var/lib/strata/%/state",
};

Result<void> make_layer(const std::filesystem::path& layer, const std::string& number) {
  std::error_code error;
  if (std::filesystem::exists(layer, error)) return {};
  for (const std::string added : kAdded) {
    std::string name = added;
    name.replace(name.find('%'), 1, number);
    const auto path = layer / name;
    STRATA_CHECK(make_dirs(path.parent_path()));
    STRATA_CHECK(write_file_atomic(path, "layer " + number + "\n", Durability::kAtomic));
  }
  return {};
}

bool has_four_components(const std::string& path) {
  return std::ranges::count(path, '/') == 3 && path.find('\n') == std::string::npos;
}

Result<void> write_lines(const std::filesystem::path& file, const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return write_file_atomic(file, text, Durability::kAtomic);
}

}  // namespace

Result<std::vector<std::filesystem::path>> lookup_layers(const Workload& workload, size_t depth) {
  const auto& image = workload.image.layers;
  std::vector<std::filesystem::path> layers;
  for (size_t i = depth; i > image.size(); --i) {
    const std::string number = std::to_string(i);
    const auto layer = workload.scratch / "layers" / number;
    STRATA_CHECK(make_layer(layer, number));
    layers.push_back(layer);
  }
  const size_t from_image = std::min(depth, image.size());
  layers.insert(layers.end(), image.end() - static_cast<ptrdiff_t>(from_image), image.end());
  return layers;
}

Result<LookupPaths> lookup_paths(const Workload& workload) {
  LookupPaths paths{workload.scratch / "hits", workload.scratch / "misses"};
  std::error_code error;
  if (std::filesystem::exists(paths.misses, error)) return paths;
  const auto& base = workload.image.layers.back();
  std::vector<std::string> hits;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(base, error)) {
    const std::string path = entry.path().lexically_relative(base);
    if (entry.is_regular_file() && !entry.is_symlink() && has_four_components(path))
      hits.push_back(path);
  }
  if (error) return fail(error.value(), "read " + base.string() + ": " + error.message());
  if (hits.empty()) return fail(ENOTSUP, "the image has no files that are four components deep");
  std::ranges::sort(hits);
  std::mt19937_64 random(1);  // the same paths in every run
  std::ranges::shuffle(hits, random);
  hits.resize(std::min(hits.size(), kPaths));
  std::vector<std::string> misses;
  misses.reserve(hits.size());
  for (const std::string& hit : hits) misses.push_back(hit + ".missing");
  STRATA_CHECK(write_lines(paths.hits, hits));
  STRATA_CHECK(write_lines(paths.misses, misses));
  return paths;
}

}  // namespace strata::bench
