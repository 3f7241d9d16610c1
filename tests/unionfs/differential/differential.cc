#include "tests/unionfs/differential/differential.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <functional>
#include <optional>
#include <random>
#include <thread>

#include "tests/unionfs/differential/apply.h"
#include "tests/unionfs/differential/view.h"
#include "unionfs/base/file.h"
#include "unionfs/index/cache.h"
#include "unionfs/union.h"

namespace strata::testing {
namespace {

using std::filesystem::path;
using unionfs::LayerStack;
using unionfs::Union;
using unionfs::Upper;

void check(bool is_fine, const std::string& what) {
  if (is_fine) return;
  std::fprintf(stderr, "%s: %s\n", what.c_str(), std::strerror(errno));
  std::abort();
}

template <class T>
T must(Result<T> result) {
  if (!result) {
    std::fprintf(stderr, "%s\n", result.error().what.c_str());
    std::abort();
  }
  return *std::move(result);
}

// Runs `body` with `root` as the root directory, so that absolute links mean the union's root.
void in_root(const path& root, const std::function<void()>& body) {
  std::thread([&] {
    check(::unshare(CLONE_FS) == 0, "unshare");
    check(::chroot(root.c_str()) == 0 && ::chdir("/") == 0, "chroot " + root.string());
    ::umask(0);
    body();
  }).join();
}

// A thread that was joined may still hold its root directory for a moment.
void unmount(const path& target) {
  for (int tries = 0; ::umount(target.c_str()) < 0; ++tries) {
    check(errno == EBUSY && tries < 1000, "umount " + target.string());
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

class KernelMount {
 public:
  KernelMount(const std::vector<path>& top_first, const Upper& upper, path target,
              bool redirect_dir)
      : target_(std::move(target)) {
    std::string options = "lowerdir=";
    for (const path& layer : top_first) {
      if (&layer != &top_first.front()) options += ":";
      options += layer.string();
    }
    options += ",upperdir=" + upper.upper.string() + ",workdir=" + upper.work.string() +
               ",index=off,metacopy=off,xino=off,redirect_dir=" + (redirect_dir ? "on" : "off");
    check(::mount("overlay", target_.c_str(), "overlay", 0, options.c_str()) == 0,
          "mount " + options);
  }
  KernelMount(const KernelMount&) = delete;
  KernelMount& operator=(const KernelMount&) = delete;
  ~KernelMount() { unmount(target_); }

 private:
  path target_;
};

// A file system in memory for one case.
class Scratch {
 public:
  explicit Scratch(path root) : root_(std::move(root)) {
    check(::mount("tmpfs", root_.c_str(), "tmpfs", 0, "") == 0, "mount tmpfs");
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() { unmount(root_); }

  [[nodiscard]] path make(const std::string& name) const {
    const path made = root_ / name;
    check(::mkdir(made.c_str(), 0755) == 0, "mkdir " + made.string());
    return made;
  }
  [[nodiscard]] Upper make_upper(const std::string& name) const {
    return {make(name), make(name + ".work")};
  }

 private:
  path root_;
};

std::vector<path> make_layers(const Case& input, const Scratch& scratch, const path& mount_point) {
  std::vector<path> top_first;
  for (const auto& operations : input.layers) {
    const Upper upper = scratch.make_upper("layer" + std::to_string(top_first.size()));
    const auto apply_all = [&] {
      for (const Operation& operation : operations) (void)apply_to_kernel(operation);
    };
    if (top_first.empty()) {
      in_root(upper.upper, apply_all);
    } else {
      const KernelMount mounted(top_first, upper, mount_point, input.redirect_dir);
      in_root(mount_point, apply_all);
    }
    top_first.insert(top_first.begin(), upper.upper);
  }
  return top_first;
}

Union open_union(const std::vector<path>& top_first, const Upper& upper, bool redirect_dir) {
  LayerStack stack = must(LayerStack::open(top_first));
  auto opened = must(unionfs::index::open_index(stack, std::nullopt));
  return must(Union::open(std::move(stack), std::move(opened.index), upper,
                          {.redirect_dir = redirect_dir, .is_volatile = true}));
}

std::string compare(const std::vector<Operation>& operations, const std::vector<Outcome>& engine,
                    const std::vector<Outcome>& kernel) {
  for (size_t i = 0; i < operations.size(); ++i) {
    if (engine[i] == kernel[i]) continue;
    const auto text = [](const Outcome& outcome) {
      return errno_name(outcome.code) + " \"" + outcome.value + "\"";
    };
    return "operation " + std::to_string(i) + ", " + to_text(operations[i]) + ":\n  engine " +
           text(engine[i]) + "\n  kernel " + text(kernel[i]) + "\n";
  }
  return {};
}

std::string in_case(const char* what, const std::string& differs) {
  return differs.empty() ? "" : std::string(what) + ":\n" + differs;
}

// Makes the layers old, and says what is to be seen of that and of their inode numbers.
ViewOptions age_layers(const std::vector<path>& layers) {
  constexpr time_t kOld = 1'500'000'000;
  ViewOptions options{.start = kOld + 1};
  for (const path& layer : layers) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(layer)) {
      struct stat status {};
      check(::lstat(entry.path().c_str(), &status) == 0, "stat");
      options.lower_inodes.insert(status.st_ino);
      if (status.st_mtim.tv_sec < kOld) continue;
      const timespec times[2] = {{.tv_sec = kOld, .tv_nsec = 1}, {.tv_sec = kOld, .tv_nsec = 2}};
      check(::utimensat(AT_FDCWD, entry.path().c_str(), times, AT_SYMLINK_NOFOLLOW) == 0, "utime");
    }
  }
  return options;
}

}  // namespace

Case random_case(uint64_t seed, int operations) {
  std::mt19937_64 random(seed);
  Case made;
  made.redirect_dir = random() % 2 == 0;
  const auto draw = [&](size_t count) {
    std::vector<Operation> drawn;
    while (drawn.size() < count) drawn.push_back(random_operation(random));
    return drawn;
  };
  for (size_t layers = 1 + random() % 4; layers > 0; --layers)
    made.layers.push_back(draw(made.layers.empty() ? 60 : 30));
  // Not in the bottom layer: FORMAT.md, "Deviations", has what the kernel does with such whiteouts.
  std::erase_if(made.layers.front(), makes_whiteout);
  made.operations = draw(static_cast<size_t>(operations));
  return made;
}

std::string run_case(const Case& input, const path& scratch_dir) {
  const Scratch scratch(scratch_dir);
  const path mount_point = scratch.make("merged");
  const std::vector<path> layers = make_layers(input, scratch, mount_point);
  const ViewOptions options = age_layers(layers);
  const Upper engine_upper = scratch.make_upper("engine");
  const Upper kernel_upper = scratch.make_upper("kernel");

  std::vector<Outcome> by_kernel;
  View kernel;
  {
    const KernelMount mounted(layers, kernel_upper, mount_point, input.redirect_dir);
    in_root(mount_point, [&] {
      for (const Operation& operation : input.operations)
        by_kernel.push_back(apply_to_kernel(operation));
    });
    kernel = kernel_view(mount_point, options);
  }
  std::vector<Outcome> by_engine;
  View engine;
  {
    Union merged = open_union(layers, engine_upper, input.redirect_dir);
    for (const Operation& operation : input.operations)
      by_engine.push_back(apply_to_engine(merged, operation));
    engine = engine_view(merged, options);
  }
  if (auto failed = compare(input.operations, by_engine, by_kernel); !failed.empty()) return failed;
  if (auto failed = difference(engine, kernel); !failed.empty())
    return in_case("the trees differ", failed);

  Union reopened = open_union(layers, kernel_upper, input.redirect_dir);
  if (auto failed = difference(engine_view(reopened, options), kernel); !failed.empty())
    return in_case("the engine reads the kernel's upper layer otherwise", failed);

  const KernelMount mounted(layers, engine_upper, mount_point, input.redirect_dir);
  return in_case("the kernel reads the engine's upper layer otherwise",
                 difference(engine, kernel_view(mount_point, options)));
}

Case shrink(Case failing, const path& scratch) {
  const auto shrink_list = [&](auto list_of) {
    for (size_t length = list_of(failing).size(); length > 0; length /= 2) {
      for (size_t at = list_of(failing).size(); at > 0;) {
        const size_t count = std::min(length, at);
        at -= count;
        Case smaller = failing;
        auto& list = list_of(smaller);
        list.erase(list.begin() + static_cast<ptrdiff_t>(at),
                   list.begin() + static_cast<ptrdiff_t>(at + count));
        if (!run_case(smaller, scratch).empty()) failing = std::move(smaller);
      }
    }
  };
  shrink_list([](Case & input) -> auto& { return input.operations; });
  for (size_t layer = 0; layer < failing.layers.size(); ++layer)
    shrink_list([layer](Case & input) -> auto& { return input.layers[layer]; });
  for (size_t layer = failing.layers.size(); layer-- > 0 && failing.layers.size() > 1;) {
    Case smaller = failing;
    smaller.layers.erase(smaller.layers.begin() + static_cast<ptrdiff_t>(layer));
    if (!run_case(smaller, scratch).empty()) failing = std::move(smaller);
  }
  return failing;
}

std::string to_text(const Case& input) {
  std::string text = input.redirect_dir ? "redirect_dir=on\n" : "redirect_dir=off\n";
  const auto add = [&](const std::string& heading, const std::vector<Operation>& operations) {
    text += heading + "\n";
    for (const Operation& operation : operations) text += "  " + to_text(operation) + "\n";
  };
  for (size_t i = 0; i < input.layers.size(); ++i)
    add("layer " + std::to_string(i), input.layers[i]);
  add("then", input.operations);
  return text;
}

}  // namespace strata::testing
