#include "tests/container/program_fixture.h"

#include <chrono>
#include <cstdlib>
#include <sstream>
#include <thread>

#include "runtime/container/container.h"
#include "runtime/linux/cgroup.h"
#include "unionfs/base/file.h"

namespace strata::container {
namespace {

// Gone with the program.
testing::TempDir& store_dir() {
  static testing::TempDir dir;
  return dir;
}

std::string lines_with(const std::string& text, const std::string& word, const std::string& what) {
  std::istringstream stream(text);
  std::string found;
  for (std::string line; std::getline(stream, line);)
    if (line.find(word) != std::string::npos) found += what + ": " + line + "\n";
  return found;
}

// Processes whose cgroup is that of a container, and the monitors of this store's.
std::string processes_of(const std::filesystem::path& root) {
  std::string found;
  std::error_code ec;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", ec)) {
    const auto pid = entry.path().filename().string();
    if (pid.find_first_not_of("0123456789") != std::string::npos) continue;
    const auto line = read_file(entry.path() / "cmdline");
    const auto stat = read_file(entry.path() / "stat");
    if (!line || !stat || stat->find(") Z ") != std::string::npos) continue;
    if (line->find(root.native()) != std::string::npos) found += "process " + pid + "\n";
  }
  return found;
}

}  // namespace

std::filesystem::path ProgramTest::root() {
  return store_dir() / "store";
}

void ProgramTest::SetUpTestSuite() {
  if (testing::lacks_root() || testing::lacks_debian_image()) return;
  if (std::filesystem::exists(root())) return;
  ok({"import", testing::debian_tar().string(), "debian", "--compression", "none"});
}

void ProgramTest::SetUp() {
  STRATA_NEEDS_ROOT();
  STRATA_NEEDS_DEBIAN();
}

void ProgramTest::TearDown() {
  if (IsSkipped() || !std::filesystem::exists(root())) return;
  for (std::istringstream ids(ok({"ps", "-aq"})); !ids.eof();) {
    std::string id;
    if (!std::getline(ids, id) || id.empty()) continue;
    const auto done = strata({"rm", "-f", id});
    // One with --rm may have gone by itself since it was listed.
    EXPECT_TRUE(done.status == 0 || done.err.find("no container") != std::string::npos) << done.err;
  }
  // A monitor tells that all is done before it goes itself.
  wait_for("all traces to go", [] { return leftovers().empty(); });
  EXPECT_EQ(leftovers(), "");
}

std::vector<std::string> ProgramTest::command_line(std::vector<std::string> arguments) {
  std::vector<std::string> line{testing::own_program("strata"), "--root", root().string()};
  line.insert(line.end(), arguments.begin(), arguments.end());
  return line;
}

Completed ProgramTest::strata(std::vector<std::string> arguments, std::string input) {
  return testing::run(command_line(std::move(arguments)), std::move(input));
}

std::string ProgramTest::ok(std::vector<std::string> arguments) {
  const auto done = strata(arguments);
  std::string line;
  for (const auto& argument : arguments) line += " " + argument;
  EXPECT_EQ(done.status, 0) << "strata" << line << "\n" << done.err;
  std::string out = done.out;
  if (out.ends_with('\n')) out.pop_back();
  return out;
}

Json ProgramTest::inspect(const std::string& name) {
  const auto json = parse_json(ok({"inspect", name}), "inspect " + name);
  if (json && json->is_array() && json->size() == 1) return json->front();
  ADD_FAILURE() << "strata inspect " << name << " gave no object";
  return Json::object();
}

std::string ProgramTest::status_of(const std::string& name) {
  const auto json = inspect(name);
  return json.contains("state") ? json["state"]["status"].get<std::string>() : "";
}

void ProgramTest::wait_for(const std::string& what, const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) {
      ADD_FAILURE() << "waited in vain for " << what;
      return;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

std::string ProgramTest::leftovers() {
  std::string found;
  const auto store = image::Store::open(root());
  if (!store) return store.error().what;
  for (const auto* dir : {"containers", "names"}) {
    std::error_code ec;
    for (const auto& entry : std::filesystem::directory_iterator(root() / dir, ec))
      found += std::string(dir) + ": " + entry.path().filename().string() + "\n";
  }
  const auto mounts = read_file("/proc/self/mountinfo");
  if (mounts) found += lines_with(*mounts, root().native(), "mount");
  return found + processes_of(root());
}

}  // namespace strata::container
