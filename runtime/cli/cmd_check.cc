// strata check [--json]

#include <sys/utsname.h>
#include <unistd.h>

#include <cstdio>
#include <string>
#include <vector>

#include "runtime/cli/image_commands.h"
#include "runtime/linux/cgroup_hierarchies.h"
#include "unionfs/base/file.h"
#include "unionfs/base/json.h"
#include "unionfs/base/terminal.h"
#include "unionfs/base/undo.h"
#include "unionfs/presenter.h"

namespace strata::cli {
namespace {

struct Finding {
  std::string name;
  bool is_good;
  std::string detail;
};

// What the store's file system and this kernel can do, seen by doing it.
struct Unions {
  Result<void> overlay;
  Result<unionfs::FlatBacking> flat;
};

Result<void> try_overlay(const std::filesystem::path& scratch) {
  for (const char* name : {"lower", "upper", "work"}) STRATA_CHECK(make_dirs(scratch / name));
  STRATA_TRY(const auto stack, unionfs::LayerStack::open({scratch / "lower"}));
  STRATA_CHECK(unionfs::mount_overlay(stack, unionfs::Upper{scratch / "upper", scratch / "work"}));
  return {};
}

// Where the store is, or would be.
std::filesystem::path existing_part(std::filesystem::path path) {
  while (::access(path.c_str(), F_OK) < 0 && path.has_relative_path()) path = path.parent_path();
  return path;
}

Result<Unions> try_unions(const Globals& globals) {
  STRATA_TRY(const auto scratch, make_temp_dir(existing_part(globals.root), ".check-"));
  Undo undo;
  undo.add([&] { [[maybe_unused]] const auto removed = remove_tree(scratch); });
  return Unions{try_overlay(scratch / "overlay"), unionfs::flat_support(scratch)};
}

std::string describe(const Result<unionfs::FlatBacking>& flat) {
  if (!flat) return flat.error().what;
  return *flat == unionfs::FlatBacking::kFile ? "EROFS images are mounted from files"
                                              : "EROFS images are mounted by loop devices";
}

Finding cgroups() {
  const auto& hierarchies = linux::CgroupHierarchies::host();
  const bool has_v2 = hierarchies.unified() != nullptr;
  bool has_v1 = false;
  for (const auto& hierarchy : hierarchies.all()) has_v1 = has_v1 || !hierarchy.unified;
  const char* mode = has_v1 && has_v2 ? "hybrid: v1 controllers beside a v2 tree"
                     : has_v1         ? "v1"
                     : has_v2         ? "v2"
                                      : "none is mounted: nothing can be limited or counted";
  return {"cgroups", has_v1 || has_v2, mode};
}

std::vector<Finding> findings(const Unions& unions) {
  utsname kernel{};
  ::uname(&kernel);
  return {{"kernel", true, std::string(kernel.release) + " " + kernel.machine},
          {"root", ::geteuid() == 0, ::geteuid() == 0 ? "yes" : "containers need root"},
          cgroups(),
          {"--union overlay", unions.overlay.has_value(),
           unions.overlay ? "up to 500 layers" : unions.overlay.error().what},
          {"--union flat", unions.flat.has_value(), describe(unions.flat)},
          {"--union copy", true, "plain copies: always possible"}};
}

// The depths at which the choice changes, or could.
constexpr size_t kDepths[] = {1, 8, 100, 501};

void print_text(const std::vector<Finding>& found, const Unions& unions) {
  for (const auto& [name, is_good, detail] : found) {
    std::string label = name;
    label.resize(18, ' ');
    std::printf(
        "%s  %s  %s\n",
        paint(STDOUT_FILENO, is_good ? Colour::kGreen : Colour::kRed, is_good ? "yes" : " no")
            .c_str(),
        label.c_str(), detail.c_str());
  }
  std::printf("\nWithout --union, images are shown by\n");
  for (const size_t depth : kDepths)
    std::printf("  %3zu %-7s %s\n", depth, depth == 1 ? "layer" : "layers",
                unionfs::choose_presenter(depth, unions.flat).reason.c_str());
  std::printf("\nMore: strata probe check, strata vm check\n");
}

void print_json(const std::vector<Finding>& found, const Unions& unions) {
  OrderedJson features = OrderedJson::array();
  for (const auto& [name, is_good, detail] : found)
    features.push_back({{"name", name}, {"available", is_good}, {"detail", detail}});
  OrderedJson choices = OrderedJson::array();
  for (const size_t depth : kDepths) {
    const auto choice = unionfs::choose_presenter(depth, unions.flat);
    choices.push_back({{"layers", depth},
                       {"union", unionfs::presenter_name(choice.kind)},
                       {"reason", choice.reason}});
  }
  const OrderedJson document = {{"features", features}, {"default_union", choices}};
  std::printf("%s\n", document.dump(2).c_str());
}

Result<int> check(const Globals& globals, bool json) {
  STRATA_TRY(const Unions unions, try_unions(globals));
  const auto found = findings(unions);
  if (json) {
    print_json(found, unions);
  } else {
    print_text(found, unions);
  }
  return 0;
}

}  // namespace

Action add_check(CLI::App& app) {
  const auto json = std::make_shared<bool>(false);
  app.add_flag("--json", *json, "print JSON");
  return [json](const Globals& globals) { return check(globals, *json); };
}

}  // namespace strata::cli
