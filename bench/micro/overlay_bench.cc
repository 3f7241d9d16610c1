// What does a layer cost to mount? An overlay of 1, 10 or 100 lower layers and an upper one, made
// through the new mount API and dropped again, never attached. The layers lie on a tmpfs: dropping
// an overlay writes back the whole file system of its upper layer (generic_shutdown_super() in
// fs/super.c → ovl_sync_fs() in fs/overlayfs/super.c), which on a busy disk takes longer than all
// else.

#include <string>

#include <benchmark/benchmark.h>

#include "unionfs/base/file.h"
#include "unionfs/overlay.h"

namespace strata::bench::micro {
namespace {

// A temporary directory with `count` small layers and an upper layer.
class Layers {
 public:
  explicit Layers(int64_t count) : dir_(make_temp_dir("/tmp", "strata-bench-micro-")) {
    if (!dir_) return;
    for (int64_t i = 0; i < count; ++i) paths_.push_back(*dir_ / ("layer" + std::to_string(i)));
    ok_ = make_dirs(*dir_ / "upper").has_value() && make_dirs(*dir_ / "work").has_value();
    for (const auto& path : paths_) ok_ = ok_ && make_dirs(path / "directory").has_value();
  }
  Layers(const Layers&) = delete;
  Layers& operator=(const Layers&) = delete;
  ~Layers() {
    if (!dir_) return;
    [[maybe_unused]] const auto removed = remove_tree(*dir_);
  }

  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] const std::vector<std::filesystem::path>& paths() const { return paths_; }
  [[nodiscard]] unionfs::Upper upper() const { return {*dir_ / "upper", *dir_ / "work"}; }

 private:
  Result<std::filesystem::path> dir_;
  std::vector<std::filesystem::path> paths_;
  bool ok_ = false;
};

void overlay_mount_bench(benchmark::State& state) {
  const Layers layers(state.range(0));
  const auto stack = layers.ok() ? unionfs::LayerStack::open(layers.paths())
                                 : fail(EIO, "could not make layers in /tmp");
  if (!stack) {
    state.SkipWithError(stack.error().what.c_str());
    return;
  }
  for ([[maybe_unused]] const auto _ : state) {
    const auto mount = unionfs::mount_overlay(*stack, layers.upper());
    if (mount) continue;
    state.SkipWithError(mount.error().what.c_str());
    break;
  }
}

BENCHMARK(overlay_mount_bench)->ArgName("layers")->Arg(1)->Arg(10)->Arg(100)->UseRealTime();

}  // namespace
}  // namespace strata::bench::micro
