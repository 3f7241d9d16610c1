// What does a union in user space cost? Lookups in the index by depth of the stack and of the path,
// building the index and the EROFS image, merged listings, copying up: the engine's, and the
// kernel's overlayfs beside it where it does the same.
//
// The trees are made up and lie on a tmpfs. With STRATA_BENCH_TREE=DIR (an unpacked image) index
// and image are built of that, too.

#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "unionfs/base/file.h"
#include "unionfs/erofs/writer.h"
#include "unionfs/flat_data.h"
#include "unionfs/index/cache.h"
#include "unionfs/overlay.h"
#include "unionfs/union.h"

namespace strata::bench::micro {
namespace {

constexpr int kDirectories = 100;
constexpr int kFilesEach = 100;

// The first failure of a set-up, thrown: a benchmark's code has no other way out.
template <class T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().what);
  return *std::move(result);
}
void must(const Result<void>& result) {
  if (!result) throw std::runtime_error(result.error().what);
}

// Ten thousand files at the bottom, a few in the same directories in each layer above.
class Stack {
 public:
  explicit Stack(int64_t depth, int nesting = 1) : dir_(must(make_temp_dir("/tmp", "union-"))) {
    for (int i = 1; i < nesting; ++i) prefix_ += "nested" + std::to_string(i) + "/";
    for (int64_t layer = 0; layer < depth; ++layer) {
      const auto root = dir_ / std::to_string(layer);
      const int files = layer == 0 ? kFilesEach : 1;
      const int directories = layer == 0 ? kDirectories : 10;
      for (int d = 0; d < directories; ++d) {
        const auto directory = root / (prefix_ + "d" + std::to_string(d));
        must(make_dirs(directory));
        for (int f = 0; f < files; ++f)
          (void)must(open_file(directory / ("f" + std::to_string(f) +
                                            (layer == 0 ? "" : "-" + std::to_string(layer))),
                               O_WRONLY | O_CREAT, 0644));
      }
      paths_.insert(paths_.begin(), root);
    }
    must(make_dirs(upper().upper));
    must(make_dirs(upper().work));
  }
  Stack(const Stack&) = delete;
  Stack& operator=(const Stack&) = delete;
  ~Stack() { [[maybe_unused]] const auto removed = remove_tree(dir_); }

  [[nodiscard]] unionfs::LayerStack open() const { return must(unionfs::LayerStack::open(paths_)); }
  [[nodiscard]] unionfs::index::Index index() const {
    return must(unionfs::index::open_index(open(), std::nullopt)).index;
  }
  [[nodiscard]] unionfs::Union merge(bool with_upper) const {
    return must(unionfs::Union::open(open(), index(),
                                     with_upper ? std::optional(upper()) : std::nullopt,
                                     {.is_volatile = true}));
  }
  [[nodiscard]] unionfs::Upper upper() const { return {dir_ / "upper", dir_ / "work"}; }
  [[nodiscard]] const std::filesystem::path& dir() const { return dir_; }

  // Every file of the bottom layer, or names that aren't there.
  [[nodiscard]] std::vector<std::string> names(const char* suffix) const {
    std::vector<std::string> names;
    for (int i = 0; i < 4096; ++i) {
      std::string name = prefix_;
      name += "d" + std::to_string(i * 37 % kDirectories);
      name += "/f" + std::to_string(i % kFilesEach);
      names.push_back(name += suffix);
    }
    return names;
  }

 private:
  std::filesystem::path dir_;
  std::string prefix_;
  std::vector<std::filesystem::path> paths_;
};

void guarded(benchmark::State& state, void (*body)(benchmark::State&)) {
  try {
    body(state);
  } catch (const std::exception& error) {
    state.SkipWithError(error.what());
  }
}

void look_up(benchmark::State& state, const char* suffix) {
  const Stack stack(state.range(0), static_cast<int>(state.range(1)) - 1);
  const auto index = stack.index();
  const auto names = stack.names(suffix);
  size_t next = 0;
  for ([[maybe_unused]] const auto _ : state) {
    benchmark::DoNotOptimize(index.lookup(names[next]));
    next = (next + 1) % names.size();
  }
}

void index_hit(benchmark::State& state) {
  guarded(state, [](benchmark::State& s) { look_up(s, ""); });
}
void index_miss(benchmark::State& state) {
  guarded(state, [](benchmark::State& s) { look_up(s, "-missing"); });
}

// Layers, and components of the path.
BENCHMARK(index_hit)->ArgNames({"layers", "components"})->ArgsProduct({{1, 8, 32, 128}, {2, 4, 8}});
BENCHMARK(index_miss)
    ->ArgNames({"layers", "components"})
    ->ArgsProduct({{1, 8, 32, 128}, {2, 4, 8}});

void index_build_of(benchmark::State& state, const unionfs::LayerStack& stack) {
  size_t entries = 0;
  for ([[maybe_unused]] const auto _ : state)
    entries = must(unionfs::index::open_index(stack, std::nullopt)).index.entries();
  state.counters["entries"] = static_cast<double>(entries);
}

void image_build_of(benchmark::State& state, const unionfs::LayerStack& stack) {
  const auto index = must(unionfs::index::open_index(stack, std::nullopt)).index;
  const unionfs::erofs::ImageOptions options{
      .layer_roots = std::vector<std::string>(stack.size(), "/layer"),
      .read = [&](const auto& file) { return unionfs::read_content(stack, file); }};
  size_t bytes = 0;
  for ([[maybe_unused]] const auto _ : state)
    bytes = must(unionfs::erofs::write_image(index, options)).size();
  state.counters["bytes"] = static_cast<double>(bytes);
}

void index_build(benchmark::State& state) {
  guarded(state, [](benchmark::State& s) { index_build_of(s, Stack(1).open()); });
}
void image_build(benchmark::State& state) {
  guarded(state, [](benchmark::State& s) { image_build_of(s, Stack(1).open()); });
}
void index_open(benchmark::State& state) {
  guarded(state, [](benchmark::State& s) {
    const Stack stack(s.range(0));
    const auto cache = stack.dir() / "cache";
    const auto layers = stack.open();
    (void)must(unionfs::index::open_index(layers, cache));
    for ([[maybe_unused]] const auto _ : s)
      benchmark::DoNotOptimize(must(unionfs::index::open_index(layers, cache)).index);
  });
}
BENCHMARK(index_build)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(image_build)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(index_open)
    ->ArgName("layers")
    ->Arg(1)
    ->Arg(8)
    ->Arg(32)
    ->Arg(128)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

unionfs::LayerStack given_tree() {
  const char* tree = std::getenv("STRATA_BENCH_TREE");
  if (tree == nullptr) throw std::runtime_error("STRATA_BENCH_TREE is not set");
  return must(unionfs::LayerStack::open({tree}));
}
void index_build_given(benchmark::State& state) {
  guarded(state, [](benchmark::State& s) { index_build_of(s, given_tree()); });
}
void image_build_given(benchmark::State& state) {
  guarded(state, [](benchmark::State& s) { image_build_of(s, given_tree()); });
}
BENCHMARK(index_build_given)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(image_build_given)->Unit(benchmark::kMillisecond)->UseRealTime();

void listing(benchmark::State& state) {
  guarded(state, [](benchmark::State& s) {
    const unionfs::Union merged = Stack(s.range(0)).merge(false);
    size_t entries = 0;
    for ([[maybe_unused]] const auto _ : s) entries = must(merged.read_directory("/d0")).size();
    s.counters["entries"] = static_cast<double>(entries);
  });
}
BENCHMARK(listing)->Name("merged_listing")->ArgName("layers")->Arg(1)->Arg(8)->Arg(32)->Arg(128);

// Opening a file of the bottom layer for writing, again and again: what was copied up is taken away
// in between, which is not timed.
class CopyUp {
 public:
  explicit CopyUp(int64_t size) : stack_(1) {
    const UniqueFd fd = must(open_file(stack_.dir() / "0/big", O_WRONLY | O_CREAT, 0644));
    const std::string block(size_t{1} << 20, 'x');
    for (int64_t left = size; left > 0; left -= std::ssize(block))
      if (::write(fd.get(), block.data(),
                  static_cast<size_t>(std::min<int64_t>(left, std::ssize(block)))) < 0)
        throw std::runtime_error("could not write the file to copy");
  }
  void undo() { (void)::unlink((stack_.upper().upper / "big").c_str()); }
  [[nodiscard]] const Stack& stack() const { return stack_; }

 private:
  Stack stack_;
};

void copy_up_engine(benchmark::State& state) {
  guarded(state, [](benchmark::State& s) {
    CopyUp scene(s.range(0));
    unionfs::Union merged = scene.stack().merge(true);
    for ([[maybe_unused]] const auto _ : s) {
      (void)must(merged.open("/big", O_WRONLY));
      s.PauseTiming();
      scene.undo();
      s.ResumeTiming();
    }
    s.SetBytesProcessed(s.iterations() * s.range(0));
  });
}

void copy_up_overlayfs(benchmark::State& state) {
  guarded(state, [](benchmark::State& s) {
    CopyUp scene(s.range(0));
    const auto merged = scene.stack().dir() / "merged";
    must(make_dirs(merged));
    for ([[maybe_unused]] const auto _ : s) {
      s.PauseTiming();
      scene.undo();
      {
        // Mounted anew each time: overlayfs must not see the upper layer change.
        const UniqueFd mount = must(unionfs::mount_overlay(
            scene.stack().open(), scene.stack().upper(), {.is_volatile = false}));
        must(unionfs::attach_mount(mount.get(), merged));
      }
      s.ResumeTiming();
      (void)must(open_file(merged / "big", O_WRONLY));
      s.PauseTiming();
      if (::umount2(merged.c_str(), MNT_DETACH) < 0) throw std::runtime_error("umount");
      s.ResumeTiming();
    }
    s.SetBytesProcessed(s.iterations() * s.range(0));
  });
}
BENCHMARK(copy_up_engine)->ArgName("bytes")->Range(4 << 10, 64 << 20)->UseRealTime();
BENCHMARK(copy_up_overlayfs)->ArgName("bytes")->Range(4 << 10, 64 << 20)->UseRealTime();

}  // namespace
}  // namespace strata::bench::micro
