// Containers of a user without privileges. The user is a number that nobody has; what /etc says
// of it is said in the test's mount namespace only.

#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "tests/bundle/oci_fixture.h"
#include "unionfs/base/file.h"

namespace strata::bundle {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

constexpr const char* kUser = "54321";

class RootlessTest : public OciTest {
 protected:
  void SetUp() override {
    OciTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    // Where the user may execute it, wherever it was built.
    fs::copy_file(testing::own_program("strata-oci"), program_);
    fs::create_directories(runtime_dir_);
    fs::remove(bundle_ / "config.json");
    own(temp_.path());
  }
  void TearDown() override {
    std::error_code ec;
    for (const auto& entry : fs::directory_iterator(runtime_dir_ / "strata-oci", ec))
      if (!entry.path().filename().native().starts_with('.'))
        as_user({"delete", "--force", entry.path().filename()});
    OciTest::TearDown();
  }

  static void own(const fs::path& path) {
    ASSERT_EQ(testing::run({"chown", "-R", std::string(kUser) + ":" + kUser, path}).status, 0);
  }

  // strata-oci, or runc, as the user; after `before`, a piece of shell of root's.
  Completed as_user(const std::vector<std::string>& arguments,
                    const std::string& program = std::string()) {
    ++calls_;
    const auto out = last_output().string();
    std::string line = before_ + "umask 022; exec setpriv --reuid " + kUser + " --regid " + kUser +
                       " --clear-groups --inh-caps=-all env -u USER HOME=" + temp_.path().string() +
                       " XDG_RUNTIME_DIR=" + runtime_dir_.string() + " " +
                       (program.empty() ? program_.string() : program);
    for (const auto& argument : arguments) line += " '" + argument + "'";
    line += " </dev/null >" + out + " 2>" + out + ".err";
    const auto done = run_command(
        {.argv = {"sh", "-c", line}, .directory = bundle_, .timeout = std::chrono::seconds(60)});
    EXPECT_TRUE(done && !done->timed_out) << line;
    Completed completed = done ? *done : Completed{.status = -1};
    completed.out = read_file(out).value_or("");
    completed.err = read_file(out + ".err").value_or("");
    return completed;
  }
  Json spec(const std::string& program = std::string()) {
    std::error_code ec;
    fs::remove(bundle_ / "config.json", ec);
    const auto done = as_user({"spec", "--rootless"}, program);
    EXPECT_EQ(done.status, 0) << done.err;
    return Json::parse(read_file(bundle_ / "config.json").value_or("{}"));
  }
  void write_rootless(
      const std::string& script, const std::function<void(Json&)>& change = [](Json&) {}) {
    auto config = spec();
    config["process"]["args"] = {"sh", "-c", script};
    config["process"]["terminal"] = false;
    config["root"]["readonly"] = false;
    change(config);
    std::ofstream(bundle_ / "config.json") << config.dump(2);
  }

  fs::path program_ = temp_.path() / "strata-oci";
  fs::path runtime_dir_ = temp_.path() / "run";
  std::string before_;
};

TEST_F(RootlessTest, WritesRuncsConfiguration) {
  STRATA_NEEDS_PROGRAM("runc");
  const auto ours = spec();
  const auto theirs = spec("runc");
  for (const auto* member : {"uidMappings", "gidMappings", "resources"})
    EXPECT_EQ(ours["linux"].value(member, Json()), theirs["linux"].value(member, Json())) << member;
  const auto names = [](const Json& config) {
    std::vector<std::string> all;
    for (const auto& ns : config["linux"]["namespaces"])
      if (ns["type"] != "cgroup") all.push_back(ns.dump());  // which runc wants on v2 hosts only
    for (const auto& mount : config["mounts"])
      all.push_back(mount.value("destination", "") + " " + mount.value("type", "") + " " +
                    mount.value("source", ""));
    std::sort(all.begin(), all.end());
    return all;
  };
  EXPECT_EQ(names(ours), names(theirs));
}

TEST_F(RootlessTest, MakesItsUserRoot) {
  write_rootless(
      "id -u; id -g; cat /proc/self/uid_map /proc/self/setgroups; echo x > /dev/null && echo $$;"
      "touch /tmp/made; grep CapEff /proc/self/status; exit 3");
  const auto done = as_user({"run", "c1"});
  EXPECT_EQ(done.status, 3) << done.err;
  EXPECT_THAT(done.out, MatchesRegex("0\n0\n *0 *54321 *1\ndeny\n1\nCapEff:.*[1-9a-f].*\n"));
  struct stat st {};
  ASSERT_EQ(::stat((rootfs_ / "tmp/made").c_str(), &st), 0);
  EXPECT_EQ(st.st_uid, 54321U);
  EXPECT_TRUE(fs::exists(runtime_dir_ / "strata-oci"));
}

TEST_F(RootlessTest, HasTheWholeLifeCycle) {
  write_rootless("sleep 100");
  const auto made = as_user({"create", "c1"});
  ASSERT_EQ(made.status, 0) << made.err;
  auto state = Json::parse(as_user({"state", "c1"}).out);
  EXPECT_EQ(state["status"], "created");
  EXPECT_EQ(state["owner"], kUser);
  ASSERT_EQ(as_user({"start", "c1"}).status, 0);
  const auto entered = as_user({"exec", "c1", "sh", "-c", "id -u; readlink /proc/self/ns/user"});
  EXPECT_EQ(entered.status, 0) << entered.err;
  const auto init = "/proc/" + Json::parse(as_user({"state", "c1"}).out)["pid"].dump();
  EXPECT_EQ(entered.out, "0\n" + fs::read_symlink(init + "/ns/user").string() + "\n");
  EXPECT_NE(fs::read_symlink(init + "/ns/user"), fs::read_symlink("/proc/self/ns/user"));
  EXPECT_THAT(as_user({"pause", "c1"}).err, HasSubstr("has no cgroup"));
  EXPECT_THAT(as_user({"update", "--pids-limit", "5", "c1"}).err, HasSubstr("has no cgroup"));
  EXPECT_EQ(as_user({"kill", "--all", "c1", "KILL"}).status, 0);
  wait_for("the end", [&] {
    return Json::parse(as_user({"state", "c1"}).out)["status"] == "stopped";
  });
  EXPECT_EQ(as_user({"delete", "c1"}).status, 0);
}

TEST_F(RootlessTest, HasANetworkOfItsOwn) {
  write_rootless("cat /proc/net/dev; readlink /proc/self/ns/net", [](Json& config) {
    config["linux"]["namespaces"].push_back({{"type", "network"}});
    for (auto& mount : config["mounts"])
      if (mount["destination"] == "/sys")
        mount = {{"destination", "/sys"},
                 {"type", "sysfs"},
                 {"source", "sysfs"},
                 {"options", {"nosuid", "noexec", "nodev", "ro"}}};
  });
  const auto done = as_user({"run", "c1"});
  EXPECT_EQ(done.status, 0) << done.err;
  EXPECT_THAT(done.out, HasSubstr("lo:"));
  EXPECT_THAT(done.out, Not(HasSubstr(fs::read_symlink("/proc/self/ns/net").string())));
}

TEST_F(RootlessTest, SaysWhatIsNotPermitted) {
  write_rootless("true",
                 [](Json& config) { config["linux"]["resources"]["memory"]["limit"] = 64 << 20; });
  const auto limited = as_user({"run", "c1"});
  EXPECT_EQ(limited.status, 1);
  EXPECT_THAT(limited.err, HasSubstr("linux.resources.memory.limit"));
  EXPECT_THAT(limited.err, HasSubstr("Permission denied"));
  write_rootless("true");
  EXPECT_THAT(as_user({"--rootless", "false", "run", "c1"}).err, HasSubstr("create cgroup"));
  write_rootless("true", [](Json& config) {
    auto& namespaces = config["linux"]["namespaces"];
    namespaces.erase(std::find_if(namespaces.begin(), namespaces.end(),
                                  [](const Json& ns) { return ns["type"] == "user"; }));
    config["linux"].erase("uidMappings");
    config["linux"].erase("gidMappings");
  });
  EXPECT_THAT(as_user({"run", "c1"}).err, HasSubstr("rootless container requires user namespaces"));
  write_rootless("true", [](Json& config) { config["linux"]["uidMappings"][0]["hostID"] = 1; });
  EXPECT_THAT(as_user({"run", "c1"}).err, HasSubstr("linux.uidMappings"));
  EXPECT_FALSE(fs::exists(runtime_dir_ / "strata-oci/c1"));
}

TEST_F(RootlessTest, MapsMoreIdsByNewuidmap) {
  STRATA_NEEDS_PROGRAM("newuidmap");
  const auto bind = [&](const char* path, const std::string& text) {
    std::ofstream(temp_ / "etc") << text;
    fs::copy_file(temp_ / "etc", temp_ / fs::path(path).filename().string());
    ASSERT_EQ(::mount((temp_ / fs::path(path).filename().string()).c_str(), path, nullptr, MS_BIND,
                      nullptr),
              0)
        << path;
  };
  bind("/etc/passwd", "root:x:0:0::/:/bin/sh\nstrata:x:54321:54321::/:/bin/sh\n");
  bind("/etc/subuid", "strata:200000:1000\n");
  bind("/etc/subgid", "strata:300000:1000\n");
  const auto map = [](uint32_t first, uint32_t size) {
    return [first, size](Json& config) {
      config["process"]["user"] = {{"uid", 33}, {"gid", 34}, {"additionalGids", {5, 6}}};
      const Json own{{"containerID", 0}, {"hostID", 54321}, {"size", 1}};
      config["linux"]["uidMappings"] = {own,
                                        {{"containerID", 1}, {"hostID", first}, {"size", size}}};
      config["linux"]["gidMappings"] = {own,
                                        {{"containerID", 1}, {"hostID", 300000}, {"size", 100}}};
    };
  };
  write_rootless("id -u; id -G; cat /proc/self/uid_map", map(200000, 100));
  const auto done = as_user({"run", "c1"});
  EXPECT_EQ(done.status, 0) << done.err;
  EXPECT_THAT(done.out, MatchesRegex("33\n34 5 6\n *0 *54321 *1\n *1 *200000 *100\n"));
  write_rootless("true", map(100000, 100));
  EXPECT_THAT(as_user({"run", "c1"}).err, HasSubstr("newuidmap"));
  for (const char* path : {"/etc/passwd", "/etc/subuid", "/etc/subgid"})
    ::umount2(path, MNT_DETACH);
}

TEST_F(RootlessTest, UsesADelegatedTree) {
  // A host with v2 alone, as far as this test's mount namespace goes.
  ASSERT_EQ(::mount("cgroup2", "/sys/fs/cgroup", "cgroup2", 0, nullptr), 0);
  const auto tree = fs::path("/sys/fs/cgroup/strata-rootless-" + std::to_string(::getpid()));
  fs::create_directories(tree / "session");
  own(tree);
  before_ = "echo $$ > " + (tree / "session/cgroup.procs").string() + "; ";
  write_rootless("sleep 100");
  const auto started = as_user({"run", "-d", "c1"});
  EXPECT_EQ(started.status, 0) << started.err;
  EXPECT_THAT(read_file(tree / "c1/cgroup.procs").value_or(""), HasSubstr("\n"));
  EXPECT_EQ(as_user({"pause", "c1"}).status, 0);
  EXPECT_EQ(Json::parse(as_user({"state", "c1"}).out)["status"], "paused");
  EXPECT_EQ(as_user({"resume", "c1"}).status, 0);
  EXPECT_THAT(as_user({"exec", "c1", "cat", "/proc/self/cgroup"}).out, HasSubstr("0::/\n"));
  EXPECT_EQ(as_user({"delete", "--force", "c1"}).status, 0);
  EXPECT_FALSE(fs::exists(tree / "c1"));
  fs::remove(tree / "session");
  EXPECT_TRUE(fs::remove(tree));
  ::umount2("/sys/fs/cgroup", MNT_DETACH);
}

}  // namespace
}  // namespace strata::bundle
