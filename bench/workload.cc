#include "bench/workload.h"

#include <algorithm>

#include "unionfs/base/json.h"
#include "unionfs/base/subprocess.h"

namespace strata::bench {
namespace {

constexpr const char* kDefaultPath =
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

void add_default_path(std::vector<std::string>& env) {
  const bool there = std::any_of(
      env.begin(), env.end(), [](const std::string& entry) { return entry.starts_with("PATH="); });
  if (!there) env.emplace_back(kDefaultPath);
}

Result<Image> from_inspect(const Json& object, const std::string& name) {
  STRATA_TRY(const auto kind, json_get(object, "kind", std::string(), name));
  if (kind != "image") return fail(EINVAL, name + " is not an image");
  Image image;
  image.name = name;
  STRATA_TRY(image.id, json_get(object, "id", std::string(), name));
  STRATA_TRY(const auto config, json_get(object, "config", Json::object(), name));
  STRATA_TRY(image.env, json_get(config, "env", image.env, name));
  STRATA_TRY(image.entrypoint, json_get(config, "entrypoint", image.entrypoint, name));
  STRATA_TRY(const auto directory, json_get(config, "working_dir", std::string(), name));
  if (!directory.empty()) image.working_dir = directory;
  STRATA_TRY(const auto user, json_get(config, "user", std::string(), name));
  if (!user.empty() && user != "0" && user != "root" && user != "0:0")
    return fail(ENOTSUP, "image " + name + " runs as user " + user +
                             "; benchmarks take images that run as root");
  STRATA_TRY(const auto layers, json_get(object, "layers", Json::array(), name));
  for (const auto& layer : layers) {
    STRATA_TRY(auto tree, json_get(layer, "tree", std::string(), name));
    if (tree.empty()) return fail(EINVAL, "image " + name + ": a layer without an unpacked tree");
    image.layers.emplace_back(std::move(tree));
  }
  if (image.layers.empty()) return fail(EINVAL, "image " + name + " has no layers");
  std::reverse(image.layers.begin(), image.layers.end());  // inspect lists the bottom first
  add_default_path(image.env);
  return image;
}

}  // namespace

Result<Image> inspect_image(const std::string& strata, const std::filesystem::path& root,
                            const std::string& name) {
  STRATA_TRY(const auto done,
             run_checked({.argv = {strata, "--root", root.string(), "inspect", name}}));
  STRATA_TRY(const auto json, parse_json(done.out, "strata inspect " + name));
  if (!json.is_array() || json.size() != 1)
    return fail(EINVAL, "strata inspect " + name + ": expected an array of one object");
  return from_inspect(json.front(), name);
}

Result<Image> directory_image(const std::filesystem::path& directory) {
  std::error_code ec;
  auto path = std::filesystem::canonical(directory, ec);
  if (ec) return fail_errno("root file system " + directory.string(), ec.value());
  if (!std::filesystem::is_directory(path, ec))
    return fail(ENOTDIR, path.string() + " is not a directory");
  Image image;
  image.layers.push_back(std::move(path));
  add_default_path(image.env);
  return image;
}

std::vector<std::string> Workload::full_command() const {
  auto all = image.entrypoint;
  all.insert(all.end(), command.begin(), command.end());
  return all;
}

}  // namespace strata::bench
