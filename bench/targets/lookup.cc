// The targets of the suite `lookup`: ways to show a stack of layers, at several depths. Each trial
// is one run of programs/lookup.cc, which reports its own metrics.

#include <sys/mount.h>
#include <unistd.h>

#include <functional>
#include <optional>
#include <string>

#include "bench/targets/common.h"
#include "bench/targets/lookup_stack.h"
#include "bench/targets/targets.h"
#include "unionfs/base/file.h"
#include "unionfs/presenter.h"

namespace strata::bench {
namespace {

using Layers = std::vector<std::filesystem::path>;

class Lookup : public TargetDriver {
 public:
  Lookup(TargetInfo info, const OwnPrograms& programs, size_t depth)
      : TargetDriver(std::move(info)), program_(programs.lookup), depth_(depth) {}

  std::optional<std::string> unavailable() const override {
    return program_.empty() ? std::optional<std::string>("strata-bench-lookup was not found")
                            : std::nullopt;
  }

  Result<void> setup(const Workload& workload) override {
    dir_ = workload.scratch / info().name;
    STRATA_CHECK(make_dirs(dir_));
    STRATA_TRY(const Layers layers, lookup_layers(workload, depth_));
    STRATA_TRY(const LookupPaths paths, lookup_paths(workload));
    launch_.argv = {program_, kind(), paths.hits, paths.misses};
    launch_.env = tool_environment();
    launch_.reports_metrics = true;
    launch_.timeout = std::chrono::minutes(3);
    return arrange(workload, layers);
  }

  Launch launch() const override { return launch_; }

 protected:
  [[nodiscard]] virtual const char* kind() const { return "tree"; }
  [[nodiscard]] virtual Result<void> arrange(const Workload& workload, const Layers& layers) = 0;

  [[nodiscard]] size_t depth() const { return depth_; }
  [[nodiscard]] const std::filesystem::path& dir() const { return dir_; }
  [[nodiscard]] Launch& mutable_launch() { return launch_; }

  // Mounts with `mount` at <dir>/merged in a view of its own, and looks there.
  [[nodiscard]] Result<void> look_into_mount(const std::function<Result<void>()>& mount) {
    STRATA_CHECK(make_dirs(merged()));
    STRATA_TRY(view_, MountView::create(mount));
    launch_.mount_namespace = view_->file();
    launch_.argv.push_back(merged());
    return {};
  }
  [[nodiscard]] std::filesystem::path merged() const { return dir_ / "merged"; }

 private:
  std::string program_;
  size_t depth_;
  std::filesystem::path dir_;
  Launch launch_;
  std::optional<MountView> view_;
};

TargetInfo describe(const std::string& name, size_t depth, const std::string& description) {
  return {.name = name + "-" + std::to_string(depth),
          .kind = "process",
          .description =
              description + " " + std::to_string(depth) + (depth == 1 ? " layer." : " layers."),
          .is_slow = true};
}

class Engine final : public Lookup {
 public:
  Engine(const OwnPrograms& programs, size_t depth)
      : Lookup(describe("engine", depth, "The union engine in this process, nothing mounted:"),
               programs, depth) {}

 protected:
  const char* kind() const override { return "engine"; }

  Result<void> arrange(const Workload& /*workload*/, const Layers& layers) override {
    auto& argv = mutable_launch().argv;
    argv.push_back(dir() / "index");
    for (const auto& layer : layers) argv.push_back(layer);
    return {};
  }
};

class Presented final : public Lookup {
 public:
  Presented(const OwnPrograms& programs, unionfs::PresenterKind kind, size_t depth)
      : Lookup(describe(std::string(unionfs::presenter_name(kind)), depth, sentence(kind)),
               programs, depth),
        kind_(kind) {}

 protected:
  Result<void> arrange(const Workload& workload, const Layers& layers) override {
    return look_into_mount([&]() -> Result<void> {
      // Here, not outside: overlayfs takes no layers that were opened in another mount namespace.
      STRATA_TRY(const unionfs::LayerStack stack, unionfs::LayerStack::open(layers));
      // A single layer would be shown by a bind mount: with an upper it is the union of a
      // container.
      std::optional<unionfs::Upper> upper;
      if (kind_ == unionfs::PresenterKind::kOverlay && depth() == 1) {
        upper = {dir() / "upper", dir() / "work"};
        STRATA_CHECK(make_dirs(upper->upper));
        STRATA_CHECK(make_dirs(upper->work));
      }
      STRATA_TRY(const UniqueFd mount,
                 unionfs::present(kind_, stack, upper, {.cache = workload.scratch / "cache"}));
      return unionfs::attach_mount(mount.get(), merged());
    });
  }

 private:
  static std::string sentence(unionfs::PresenterKind kind) {
    switch (kind) {
      case unionfs::PresenterKind::kOverlay:
        return "The kernel's overlayfs of";
      case unionfs::PresenterKind::kFlat:
        return "One EROFS image with the metadata of all, under overlayfs, of";
      case unionfs::PresenterKind::kCopy:
        return "A plain copy of the merged tree of";
    }
    return "";
  }

  unionfs::PresenterKind kind_;
};

// The lowest layer of the image as it is.
class Plain final : public Lookup {
 public:
  explicit Plain(const OwnPrograms& programs)
      : Lookup(describe("plain", 1, "A plain directory, no union:"), programs, 1) {}

 protected:
  Result<void> arrange(const Workload& /*workload*/, const Layers& layers) override {
    mutable_launch().argv.push_back(layers.front());
    return {};
  }
};

class FuseOverlay final : public Lookup {
 public:
  FuseOverlay(const OwnPrograms& programs, size_t depth)
      : Lookup(describe("fuse-overlayfs", depth, "fuse-overlayfs of"), programs, depth) {}

  std::optional<std::string> unavailable() const override {
    if (auto lack = lacks_program("fuse-overlayfs")) return lack;
    if (::access("/dev/fuse", R_OK | W_OK) != 0) return "/dev/fuse can't be used";
    return Lookup::unavailable();
  }

 protected:
  Result<void> arrange(const Workload& /*workload*/, const Layers& layers) override {
    std::string lower = "lowerdir=";
    for (const auto& layer : layers)
      lower += (&layer == &layers.front() ? "" : ":") + layer.string();
    version_ = version_of("fuse-overlayfs");
    // It ends when the view with its mount does.
    return look_into_mount([&]() -> Result<void> {
      STRATA_CHECK(run_checked({.argv = {"fuse-overlayfs", "-o", lower, merged()}}));
      return {};
    });
  }
};

}  // namespace

Targets make_lookup_targets(const OwnPrograms& programs) {
  using unionfs::PresenterKind;
  Targets targets;
  targets.push_back(std::make_unique<Plain>(programs));
  for (const size_t depth : {1, 8, 32, 100, 128, 500})
    targets.push_back(std::make_unique<Engine>(programs, depth));
  for (const size_t depth : {1, 8, 32, 100, 128, 500})
    targets.push_back(std::make_unique<Presented>(programs, PresenterKind::kOverlay, depth));
  for (const size_t depth : {1, 8, 32, 100, 128, 500})
    targets.push_back(std::make_unique<Presented>(programs, PresenterKind::kFlat, depth));
  targets.push_back(std::make_unique<Presented>(programs, PresenterKind::kCopy, 100));
  for (const size_t depth : {1, 100})
    targets.push_back(std::make_unique<FuseOverlay>(programs, depth));
  targets.push_back(make_lookup_vm(programs));
  return targets;
}

}  // namespace strata::bench
