#include "tests/bundle/oci_fixture.h"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "runtime/linux/cgroup.h"
#include "unionfs/base/file.h"

namespace strata::bundle {
namespace {

namespace fs = std::filesystem;

// Containers become children of ours when their runtime has ended.
void reap() {
  while (::waitpid(-1, nullptr, WNOHANG) > 0) {
  }
}

// Every process that a run leaves becomes a child of ours.
bool has_children() {
  reap();
  siginfo_t info{};
  return ::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

long mounts() {
  const auto text = read_file("/proc/self/mountinfo").value_or("");
  return std::count(text.begin(), text.end(), '\n');
}

std::string quoted(const std::string& word) {
  std::string text = "'";
  for (const char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

}  // namespace

void OciTest::SetUp() {
  STRATA_NEEDS_ROOT();
  STRATA_NEEDS_PROGRAM("busybox");
  ASSERT_TRUE(testing::enter_private_namespaces());
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  for (const char* name : {"bin", "etc", "tmp", "root", "proc", "dev", "sys"})
    fs::create_directories(rootfs_ / name);
  fs::copy_file(*find_program("busybox"), rootfs_ / "bin/busybox");
  for (const char* applet : {"sh", "cat", "ls", "id", "env", "sleep", "true", "false", "tty",
                             "stty", "pwd", "kill", "touch", "readlink", "grep", "echo", "test"})
    fs::create_symlink("busybox", rootfs_ / "bin" / applet);
  mounts_ = mounts();
}

void OciTest::TearDown() {
  if (!fs::exists(root())) return;
  for (const auto& entry : fs::directory_iterator(root()))
    if (!entry.path().filename().native().starts_with('.')) {
      const std::string id = entry.path().filename();
      // The namespace of a container's processes lasts until those of `exec` are reaped, by us.
      oci({"kill", "--all", id, "KILL"});
      wait_stopped(id);
      oci({"delete", "--force", id});
    }
  reap();
  EXPECT_EQ(leftovers(), "");
  // In the hierarchies that only runc uses, too.
  std::error_code ec;
  for (const auto& hierarchy : fs::directory_iterator("/sys/fs/cgroup", ec)) {
    ::rmdir((hierarchy.path().native() + cgroup_).c_str());
    ::rmdir((hierarchy.path() / "strata-oci-test").c_str());
  }
}

fs::path OciTest::root(Runtime runtime) const {
  return temp_ / (runtime == Runtime::kRunc ? "runc" : "strata");
}

void OciTest::write_config(const std::vector<std::string>& args,
                           const std::function<void(Json&)>& change) {
  std::error_code ec;
  fs::remove(bundle_ / "config.json", ec);
  const auto written =
      testing::run({testing::own_program("strata-oci"), "spec", "--bundle", bundle_.string()});
  ASSERT_EQ(written.status, 0) << written.err;
  const auto text = read_file(bundle_ / "config.json");
  ASSERT_TRUE(text);
  auto config = Json::parse(*text);
  config["process"]["args"] = args;
  config["process"]["terminal"] = false;
  config["root"]["readonly"] = false;
  config["linux"]["cgroupsPath"] = cgroup_;
  change(config);
  ASSERT_TRUE(write_file_atomic(bundle_ / "config.json", config.dump(2), Durability::kAtomic));
}

std::vector<std::string> OciTest::command_line(std::vector<std::string> arguments,
                                               Runtime runtime) const {
  std::vector<std::string> line{runtime == Runtime::kRunc ? "runc" : program_, "--root",
                                root(runtime).string()};
  line.insert(line.end(), arguments.begin(), arguments.end());
  return line;
}

Completed OciTest::oci(std::vector<std::string> arguments, Runtime runtime) {
  ++calls_;
  const auto out = last_output().string();
  const auto err = out + ".err";
  std::string line = "exec";
  for (const auto& word : command_line(std::move(arguments), runtime)) line += " " + quoted(word);
  line += " </dev/null >" + quoted(out) + " 2>" + quoted(err);
  const auto done = run_command(
      {.argv = {"sh", "-c", line}, .directory = bundle_, .timeout = std::chrono::seconds(60)});
  EXPECT_TRUE(done) << line;
  if (!done) return {.status = -1};
  Completed completed = *done;
  EXPECT_FALSE(completed.timed_out) << line;
  completed.out = read_file(out).value_or("");
  completed.err = read_file(err).value_or("");
  return completed;
}

std::string OciTest::ok(std::vector<std::string> arguments, Runtime runtime) {
  std::string line;
  for (const auto& argument : arguments) line += " " + argument;
  const auto done = oci(std::move(arguments), runtime);
  EXPECT_EQ(done.status, 0) << line << "\n" << done.err;
  return done.out;
}

fs::path OciTest::last_output() const {
  return temp_ / ("output." + std::to_string(calls_));
}

Json OciTest::state(const std::string& id, Runtime runtime) {
  const auto json = parse_json(ok({"state", id}, runtime), "state " + id);
  EXPECT_TRUE(json);
  return json ? *json : Json::object();
}

std::string OciTest::status(const std::string& id, Runtime runtime) {
  return state(id, runtime).value("status", "");
}

void OciTest::wait_for(const std::string& what, const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!condition()) {
    reap();
    if (std::chrono::steady_clock::now() > deadline) {
      ADD_FAILURE() << "waited in vain for " << what;
      return;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

void OciTest::wait_stopped(const std::string& id, Runtime runtime) {
  wait_for(id + " to stop", [&] { return status(id, runtime) == "stopped"; });
}

std::string OciTest::leftovers() const {
  std::string found;
  std::error_code ec;  // nothing was made yet
  for (const auto& entry : fs::directory_iterator(root(), ec))
    if (!entry.path().filename().native().starts_with('.'))
      found += "state " + entry.path().filename().string() + "\n";
  const auto cgroup = linux::Cgroup::existing(cgroup_);
  for (const auto& directory : cgroup.directories()) found += "cgroup " + directory.path + "\n";
  for (const pid_t pid : cgroup.processes()) found += "process " + std::to_string(pid) + "\n";
  return found;
}

void OciTest::expect_nothing_left(const std::string& where) const {
  for (int i = 0; i < 100 && has_children(); ++i) ::usleep(10'000);
  EXPECT_FALSE(has_children()) << where;
  EXPECT_EQ(leftovers(), "") << where;
  EXPECT_EQ(mounts(), mounts_) << where;
}

}  // namespace strata::bundle
