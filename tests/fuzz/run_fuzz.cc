// strata-oci run with a config.json that is anything, over and over, in namespaces of its own: it
// may refuse, it may run, but it never crashes, never hangs, and leaves nothing behind: no state,
// no cgroup, no mount, no process, and nothing on the host's side of the bundle.
//
//   run_fuzz [--seconds N] [--seed N]
//
// Mutations are of the JSON's values, not of its text, so that most are understood. As they may ask
// for any file of the host's, its root here is a copy-on-write one, gone with the process; and the
// cgroup is always the same.
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <random>

#include "runtime/linux/cgroup.h"
#include "runtime/oci/spec.h"
#include "tests/support/environment.h"
#include "tests/support/temp_dir.h"
#include "unionfs/base/file.h"
#include "unionfs/base/json.h"

namespace {

using namespace strata;
using Clock = std::chrono::steady_clock;
using Random = std::mt19937_64;

// The values of a document, all the way down.
void collect(Json& json, std::vector<Json*>& found) {
  found.push_back(&json);
  if (json.is_structured())
    for (auto& element : json) collect(element, found);
}

Json odd_value(Random& random) {
  static const char* const kWords[] = {"",
                                       "/",
                                       "..",
                                       "/../..",
                                       "/proc",
                                       "/proc/self/fd/3",
                                       "/dev",
                                       "/sys",
                                       "tmpfs",
                                       "bind",
                                       "proc",
                                       "rbind",
                                       "ro",
                                       "rro",
                                       "idmap",
                                       "shared",
                                       "rslave",
                                       "remount",
                                       "size=1k",
                                       "x=y",
                                       "SCMP_ACT_KILL",
                                       "SCMP_ACT_NOTIFY",
                                       "CAP_SYS_ADMIN",
                                       "RLIMIT_NOFILE",
                                       "SCHED_FIFO",
                                       "IOPRIO_CLASS_RT",
                                       "user",
                                       "time",
                                       "host",
                                       "0-99999",
                                       "$BUNDLE/rootfs",
                                       "$BUNDLE/none",
                                       "/dev/null",
                                       "rwm",
                                       "a",
                                       "c"};
  static const int64_t kNumbers[] = {0,         1,         -1,        2,        7,
                                     255,       4096,      65535,     1 << 20,  INT32_MAX,
                                     INT32_MIN, INT64_MAX, INT64_MIN, 1LL << 32};
  switch (random() % 6) {
    case 0:
      return random() % 2 == 0;
    case 1:
      return kNumbers[random() % std::size(kNumbers)];
    case 2:
      return random() % 2 == 0 ? Json::array() : Json::object();
    case 3:
      return std::string(random() % 5000, 'x');
    default:
      return kWords[random() % std::size(kWords)];
  }
}

// A value becomes another one of the same document, an odd one, nothing, or is doubled.
void mutate(Json& document, Random& random) {
  for (size_t rounds = 1 + random() % 3; rounds > 0; --rounds) {
    std::vector<Json*> values;
    collect(document, values);
    Json& value = *values[random() % values.size()];
    Json other = *values[random() % values.size()];
    switch (random() % 5) {
      case 0:
        value = std::move(other);
        break;
      case 1:
        if (value.is_array() && !value.empty())
          value.erase(random() % value.size());
        else if (value.is_object() && !value.empty())
          value.erase(std::next(value.begin(), static_cast<long>(random() % value.size())));
        break;
      case 2:
        if (value.is_array()) value.push_back(std::move(other));
        break;
      default:
        value = odd_value(random);
        break;
    }
  }
}

bool mount_on(const char* type, const std::string& target, const std::string& data,
              const char* source = "none", unsigned long flags = 0) {
  return ::mount(source, target.c_str(), type, flags, data.c_str()) == 0;
}

// An overlay of "/" with a /dev of its own becomes the root.
bool enter_throwaway_root() {
  if (!mount_on("tmpfs", "/mnt", "")) return false;
  for (const char* name : {"/mnt/upper", "/mnt/work", "/mnt/root"})
    std::filesystem::create_directory(name);
  const std::string root = "/mnt/root";
  if (!mount_on("overlay", root, "lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work") ||
      !mount_on(nullptr, root + "/proc", "", "/proc", MS_BIND | MS_REC) ||
      !mount_on(nullptr, root + "/sys", "", "/sys", MS_BIND | MS_REC) ||
      !mount_on("tmpfs", root + "/dev", ""))
    return false;
  for (const char* name : {"null", "zero", "full", "random", "urandom", "tty"}) {
    const std::string node = root + "/dev/" + name;
    std::ofstream(node).flush();
    if (!mount_on(nullptr, node, "", ("/dev/" + std::string(name)).c_str(), MS_BIND)) return false;
  }
  return ::chdir(root.c_str()) == 0 && ::syscall(SYS_pivot_root, ".", ".") == 0 &&
         ::umount2(".", MNT_DETACH) == 0 && ::chdir("/") == 0;
}

class Scene {
 public:
  Scene() {
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    dir_.write("host/canary", "host");
    for (const char* name : {"proc", "sys", "dev", "tmp", "bin"})
      std::filesystem::create_directories(dir_ / "bundle/rootfs" / name);
    std::filesystem::copy_file(*find_program("busybox"), dir_ / "bundle/rootfs/bin/busybox");
    std::filesystem::create_symlink("busybox", dir_ / "bundle/rootfs/bin/sh");
    make_seeds();
    mounts_ = mounts();
  }

  // What is wrong; empty if nothing is.
  std::string run(Random& random) {
    Json config = seeds_[random() % seeds_.size()];
    mutate(config, random);
    if (config.is_object() && config.contains("root")) config["root"] = {{"path", "rootfs"}};
    if (config.is_object() && config.contains("linux") && config["linux"].is_object())
      config["linux"]["cgroupsPath"] = kCgroup;
    text_ = config.dump(-1, ' ', false, Json::error_handler_t::replace);
    for (size_t at = 0; (at = text_.find("$BUNDLE", at)) != std::string::npos;)
      text_.replace(at, sizeof "$BUNDLE" - 1, (dir_ / "bundle").string());
    dir_.write("bundle/config.json", text_);
    constexpr auto kPatience = std::chrono::seconds(20);
    const auto done = run_command(
        {.argv = {strata::testing::own_program("strata-oci"), "--root", (dir_ / "state").string(),
                  "run", "--bundle", (dir_ / "bundle").string(), kId},
         .timeout = kPatience});
    if (!done) return "not started";
    ++(done->status == 0 ? ran_ : refused_);
    std::string wrong;
    if (done->timed_out) wrong += "it hung; ";
    // 128 + n is the container's own end by a signal, which has no message.
    if (done->status >= 128 && done->err.find("runtime error") != std::string::npos)
      wrong += done->err;
    if (done->status == 1 && done->err.find("level=error") == std::string::npos &&
        done->out.find("ran") == std::string::npos)
      wrong += "an error without a word: " + done->err + "; ";
    return wrong + left_over();
  }

  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] long ran() const { return ran_; }
  [[nodiscard]] long refused() const { return refused_; }

 private:
  void make_seeds() {
    oci::Spec spec = oci::default_spec();
    spec.root.path = "rootfs";
    spec.process.args = {"/bin/busybox", "echo", "ran"};
    spec.process.env = {"PATH=/bin"};
    spec.linux.cgroups_path = kCgroup;
    const auto keep = [&] { seeds_.push_back(*parse_json(oci::to_json(spec), "seed")); };
    keep();
    spec.hostname = "box";
    spec.process.rlimits = {{"RLIMIT_NOFILE", 100, 100}};
    spec.mounts.push_back({"/mnt", "tmpfs", "tmpfs", {"size=64k", "mode=700"}});
    spec.mounts.push_back({"/volume", "bind", "$BUNDLE/rootfs/tmp", {"rbind", "ro"}});
    spec.linux.devices = {{.type = "c", .path = "/dev/fuse", .major = 10, .minor = 229}};
    spec.linux.sysctl = {{"net.ipv4.ip_forward", "1"}};
    spec.linux.resources.pids_limit = 20;
    spec.linux.resources.memory_limit = 64 << 20;
    spec.linux.seccomp = {.default_action = "SCMP_ACT_ALLOW",
                          .architectures = {"SCMP_ARCH_X86_64"},
                          .syscalls = {{.names = {"getcwd"}, .action = "SCMP_ACT_ERRNO"}}};
    keep();
    spec.linux.namespaces.push_back({"user", ""});
    spec.linux.uid_mappings = spec.linux.gid_mappings = {{0, 0, 1000}};
    spec.linux.namespaces.push_back({"time", ""});
    spec.linux.time_offsets = {{"boottime", {.secs = 5}}};
    keep();
  }

  static size_t mounts() {
    const auto text = read_file("/proc/self/mountinfo").value_or("");
    return static_cast<size_t>(std::count(text.begin(), text.end(), '\n'));
  }

  static bool has_children() {
    while (::waitpid(-1, nullptr, WNOHANG) > 0) {
    }
    siginfo_t info{};
    return ::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
  }

  std::string left_over() {
    std::string found;
    for (int i = 0; i < 300 && has_children(); ++i) ::usleep(10'000);
    if (has_children()) found += "a process; ";
    if (std::filesystem::exists(dir_ / (std::string("state/") + kId))) found += "its state; ";
    if (!linux::Cgroup::existing(kCgroup).directories().empty()) found += "its cgroup; ";
    if (mounts() != mounts_) found += "a mount; ";
    if (std::distance(std::filesystem::directory_iterator(dir_ / "host"), {}) != 1 ||
        read_file(dir_ / "host/canary").value_or("") != "host")
      found += "a change of the host's files; ";
    return found.empty() ? "" : "left behind: " + found;
  }

  static constexpr const char* kId = "strata-run-fuzz";  // and without cgroupsPath, its cgroup
  static constexpr const char* kCgroup = "/strata-run-fuzz";
  strata::testing::TempDir dir_;
  std::vector<Json> seeds_;
  std::string text_;
  size_t mounts_ = 0;
  long ran_ = 0, refused_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  long seconds = 2;
  uint64_t seed = 1;
  for (int i = 1; i + 1 < argc; i += 2) {
    if (std::string_view(argv[i]) == "--seconds") seconds = std::atol(argv[i + 1]);
    if (std::string_view(argv[i]) == "--seed")
      seed = static_cast<uint64_t>(std::atoll(argv[i + 1]));
  }
  if (::geteuid() != 0 || !find_program("busybox") ||
      !strata::testing::enter_private_namespaces() || !enter_throwaway_root()) {
    std::printf("skipped: it takes root and busybox\n");
    return 77;
  }
  Scene scene;
  Random random(seed);
  for (const auto end = Clock::now() + std::chrono::seconds(seconds); Clock::now() < end;) {
    const std::string wrong = scene.run(random);
    if (wrong.empty()) continue;
    std::printf("%s\n%s\n", wrong.c_str(), scene.text().c_str());
    return 1;
  }
  std::printf("%ld ran, %ld were refused or failed\n", scene.ran(), scene.refused());
  return 0;
}
