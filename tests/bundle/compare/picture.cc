#include "tests/bundle/compare/picture.h"

#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <map>
#include <regex>
#include <sstream>

#include "runtime/linux/cgroup.h"
#include "tests/support/environment.h"
#include "unionfs/base/file.h"

namespace strata::bundle {
namespace {

namespace fs = std::filesystem;

void replace_all(std::string& text, const std::string& from, const std::string& to) {
  for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
}

// A process with namespaces to be joined.
pid_t start_other() {
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::unshare(CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS) == 0) (void)::sethostname("other", 5);
  for (;;) ::pause();
}

// Which namespaces are new, in place of their numbers.
std::string name_namespace(const std::string& target, pid_t other) {
  const auto name = target.substr(0, target.find(':'));
  const auto is = [&](const std::string& process) {
    std::error_code ec;
    return fs::read_symlink("/proc/" + process + "/ns/" + name, ec) == target;
  };
  if (is("self")) return name + " host";
  return name + (is(std::to_string(other)) ? " other" : " new");
}

// In the host's pid namespace every process has another number.
std::string name_process(const std::string& line) {
  static const std::regex kNumber("^process\tpid [0-9]{2,} ");
  return std::regex_replace(line, kNumber, "process\tpid of many ");
}

// Numbers of this run in what is the same in all.
bool is_of_interest(const std::string& line) {
  static constexpr const char* kStatus[] = {
      "NoNewPrivs:", "Seccomp:", "SigBlk:", "SigIgn:", "SigCgt:", "Cpus_allowed:", "THP_enabled:"};
  if (!line.starts_with("status\t")) return true;
  for (const char* name : kStatus)
    if (line.find(std::string("\t") + name) != std::string::npos) return true;
  return false;
}

}  // namespace

Painter::Painter() : cgroup_("/strata-compare-" + std::to_string(::getpid())) {
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  (void)::umount2("/sys/fs/cgroup/unified", MNT_DETACH);
  make_root();
  other_ = start_other();
}

Painter::~Painter() {
  ::kill(other_, SIGKILL);
  ::waitpid(other_, nullptr, 0);
  std::error_code ec;
  for (const auto& hierarchy : fs::directory_iterator("/sys/fs/cgroup", ec)) {
    ::rmdir((hierarchy.path().native() + cgroup_ + "-other").c_str());
    ::rmdir((hierarchy.path().native() + cgroup_).c_str());
  }
}

Json Painter::base() const {
  return base_config(cgroup_);
}

// Anew for each run: what one container did is not the next one's.
void Painter::make_root() const {
  std::error_code ec;
  fs::remove_all(bundle_, ec);
  for (const char* name : {"proc", "sys", "dev", "tmp", "mnt", "volume", "etc"})
    fs::create_directories(bundle_ / "rootfs" / name);
  const auto write = [&](const char* name) {
    temp_.write(std::string("bundle/") + name, "content\n");
  };
  for (const char* name : {"rootfs/masked", "rootfs/masked-dir/file", "rootfs/readonly/below/file",
                           "volume/file", "volume/below/file"})
    write(name);
  fs::copy_file(STRATA_VIEW, bundle_ / "rootfs/view");
}

Picture Painter::paint(const std::string& runtime, const Json& config) {
  make_root();
  std::string text = config.dump();
  replace_all(text, "$BUNDLE", bundle_.string());
  replace_all(text, "$PID", std::to_string(other_));
  temp_.write("bundle/config.json", text);
  const std::string id = "compare-" + std::to_string(::getpid()) + "-" + std::to_string(++runs_);
  const bool terminal = config["process"].value("terminal", false);
  const std::vector<std::string> run{
      runtime, "--root", (temp_ / "state").string(), "run", "--bundle", bundle_.string(), id};
  std::vector<std::string> argv = run;
  if (terminal) {  // script(1) gives one to the runtime
    std::string line;
    for (const auto& word : run) line += word + " ";
    argv = {"script", "-qec", line, "/dev/null"};
  }
  const auto done = testing::run(argv);
  while (::waitpid(-1, nullptr, WNOHANG) > 0) {
  }
  Picture picture{.ran = done.status == 0, .error = done.err + (terminal ? done.out : "")};
  std::istringstream lines(done.out);
  for (std::string line; std::getline(lines, line);) {
    if (line.ends_with('\r')) line.pop_back();
    if (line.starts_with("namespaces\t"))
      line = "namespaces\t" + name_namespace(line.substr(11), other_);
    if (line.starts_with("process\t")) line = name_process(line);
    replace_all(line, bundle_.string(), "$BUNDLE");
    if (is_of_interest(line)) picture.lines.insert(line);
  }
  return picture;
}

std::string Painter::leftovers() const {
  std::string found;
  std::error_code ec;
  for (const auto& entry : fs::directory_iterator(temp_ / "state", ec))
    if (!entry.path().filename().native().starts_with('.'))
      found += "state " + entry.path().filename().string() + "\n";
  const auto cgroup = linux::Cgroup::existing(cgroup_);
  for (const auto& directory : cgroup.directories())
    for (const auto& controller : directory.controllers)
      if (controller == "memory" || controller == "pids" || controller == "devices")
        found += "cgroup " + directory.path + "\n";
  return found;
}

}  // namespace strata::bundle
