// `vm-1` of the suite `lookup`: the same image, looked into from inside a virtual machine. However
// many layers an image has, a VM gets them as one disk.

#include <sys/stat.h>

#include <string>
#include <vector>

#include "bench/targets/common.h"
#include "bench/targets/lookup_stack.h"
#include "bench/targets/targets.h"
#include "bench/targets/vm_boot.h"
#include "unionfs/base/file.h"

namespace strata::bench {
namespace {

constexpr const char* kInImage = "/strata-bench";  // what is added to the image

class LookupVm final : public TargetDriver {
 public:
  explicit LookupVm(const OwnPrograms& programs)
      : TargetDriver(
            {.name = "vm-1",
             .kind = "vm",
             .description =
                 "strata vm run: a Debian cloud kernel on QEMU's microvm machine looks into "
                 "its root directory, an EROFS disk of 1 layer under overlayfs.",
             .is_slow = true}),
        strata_(programs.strata),
        lookup_(programs.lookup),
        has_vm_(!programs.vm.empty()) {}

  std::optional<std::string> unavailable() const override {
    if (strata_.empty() || lookup_.empty()) return "strata or strata-bench-lookup was not found";
    if (!has_vm_) return "strata-vm was not found";
    return lacks_program("qemu-system-x86_64");
  }

  Result<void> setup(const Workload& workload) override {
    if (workload.image.name.empty())
      return fail(ENOTSUP, "a VM is started from an image, and a plain directory was given");
    root_ = workload.root;
    image_ = "strata-bench-lookup:" + workload.id;
    STRATA_CHECK(import_image(workload));
    const std::string in_image = kInImage;
    const auto command = [&](std::vector<std::string> words) {
      return VmCommand{strata_, "microvm", image_, std::move(words)};
    };
    STRATA_TRY(const VmFacts facts, boot_once(command({"/bin/true"}), workload));
    accelerator_ = facts.accelerator;
    note_ = facts.note;
    version_ = facts.version;
    launch_.env = tool_environment();
    launch_.argv = command({in_image + "/lookup", "root", in_image + "/hits", in_image + "/misses"})
                       .argv(workload, {"--quiet", "--accel", accelerator_});
    launch_.reports_metrics = true;
    launch_.timeout = std::chrono::minutes(10);
    return {};
  }

  Launch launch() const override { return launch_; }

  Result<void> cleanup() override {
    if (image_.empty()) return {};
    STRATA_CHECK(run_checked({.argv = {strata_, "--root", root_, "rmi", image_}}));
    return {};
  }

 private:
  // The image's lowest layer with the program and the paths, as an image of its own.
  Result<void> import_image(const Workload& workload) {
    STRATA_TRY(const auto layers, lookup_layers(workload, 1));
    STRATA_TRY(const LookupPaths paths, lookup_paths(workload));
    const std::filesystem::path added = workload.scratch / "vm" / (kInImage + 1);
    STRATA_CHECK(make_dirs(added));
    for (const auto& [from, name] :
         {std::pair<std::filesystem::path, const char*>{lookup_, "lookup"},
          {paths.hits, "hits"},
          {paths.misses, "misses"}})
      STRATA_CHECK(run_checked({.argv = {"cp", from, added / name}}));
    const std::string tar = workload.scratch / "vm" / "image.tar";
    STRATA_CHECK(run_checked(
        {.argv = {"tar", "--numeric-owner", "--xattrs", "--xattrs-include=*", "-cf", tar, "-C",
                  layers.front(), ".", "-C", added.parent_path(), added.filename()}}));
    STRATA_CHECK(run_checked({.argv = {strata_, "--root", root_, "import", tar, image_}}));
    return {};
  }

  std::string strata_;
  std::string lookup_;
  bool has_vm_;
  std::filesystem::path root_;
  std::string image_;
  Launch launch_;
};

}  // namespace

std::unique_ptr<TargetDriver> make_lookup_vm(const OwnPrograms& programs) {
  return std::make_unique<LookupVm>(programs);
}

}  // namespace strata::bench
