// The state of a container, file by file, that is anything: read by all that only read it.
#include <cstdlib>

#include "runtime/bundle/container.h"
#include "runtime/bundle/exec.h"
#include "runtime/bundle/filter_cache.h"
#include "runtime/bundle/list.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/support/temp_dir.h"
#include "unionfs/base/file.h"

namespace {

using namespace strata;
namespace fs = std::filesystem;

bundle::Record good_record() {
  return {.id = "c1",
          .bundle = "/bundle",
          .rootfs = "/bundle/rootfs",
          .created = "2020-01-01T00:00:00Z",
          .annotations = {{"key", "value"}},
          .cgroup = "/strata-fuzz-of-nobody/c1",
          .has_hooks = true,
          .init = {.pid = 1 << 30, .start_ticks = 5, .boot_id = "x"}};
}

oci::Spec spec_with_filter() {
  oci::Spec spec = oci::default_spec();
  spec.root.path = "rootfs";
  spec.process.args = {"true"};
  spec.hooks.poststop = {{.path = "/bin/true"}};
  spec.linux.seccomp = {.default_action = "SCMP_ACT_ALLOW",
                        .architectures = {"SCMP_ARCH_X86_64"},
                        .syscalls = {{.names = {"getcwd"}, .action = "SCMP_ACT_ERRNO"}}};
  return spec;
}

void write(const fs::path& path, std::string_view text) {
  if (!write_file_atomic(path, text, Durability::kAtomic)) std::abort();
}

// A root with one container, whose files are good ones, and a cache with one filter.
struct Scene {
  testing::TempDir dir;
  fs::path root = dir / "root";
  fs::path container = root / "c1";
  fs::path cached;

  Scene() {
    if (!make_dirs(container) || !bundle::seccomp_filter(root, spec_with_filter())) std::abort();
    cached = fs::directory_iterator(root / ".seccomp")->path();
    reset();
  }
  void reset() const {
    write(container / "state.json", bundle::to_json(good_record()));
    write(container / "config.json", oci::to_json(spec_with_filter()));
  }
};

void read_all(const Scene& scene) {
  if (const auto listed = bundle::list(scene.root)) {
    (void)bundle::list_table(*listed);
    (void)bundle::list_json(*listed);
  }
  auto container = bundle::Container::load(scene.root, "c1");
  if (!container) return;
  // Rootless containers may have no cgroup; what was made for none of them is never removed.
  const auto& cgroup = container->record().cgroup;
  if ((!cgroup.empty() && (cgroup.size() < 2 || cgroup.front() != '/')) ||
      container->record().id != "c1")
    std::abort();
  (void)bundle::state_json(container->record(), container->status());
  (void)bundle::listener_state_json(container->record(), bundle::Status::kCreated, 1, "data");
  (void)container->hooks();
  (void)container->open_init();
  (void)bundle::changed_process(*container, {.args = {"true"}, .env = {"A=b"}, .user = "1:2"});
}

}  // namespace

// The first byte says which file it is.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Scene scene;
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 3) {
    case 0:
      write(scene.container / "state.json", text);
      break;
    case 1:
      write(scene.container / "config.json", text);
      break;
    default:
      write(scene.cached, text);
      if (const auto filter = bundle::seccomp_filter(scene.root, spec_with_filter());
          !filter || !*filter)
        std::abort();
      return 0;
  }
  read_all(scene);
  scene.reset();
  return 0;
}

std::vector<std::string> strata::testing::fuzz_seeds() {
  const Scene scene;
  const auto cached = read_file(scene.cached);
  return {std::string(1, '\0') + bundle::to_json(good_record()),
          std::string(1, '\1') + oci::to_json(spec_with_filter()),
          std::string(1, '\2') + cached.value_or("")};
}
