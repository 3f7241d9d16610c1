// Hooks: their order, what they are told, where they are, and what becomes of the container if one
// fails.

#include <sys/stat.h>

#include <fstream>
#include <sstream>

#include "tests/bundle/oci_fixture.h"
#include "unionfs/base/file.h"

namespace strata::bundle {
namespace {

using ::testing::HasSubstr;

class HooksTest : public OciTest {
 protected:
  // A hook that appends a line to the log: its kind and what `tell` prints.
  Json hook(const std::string& kind, const std::string& tell) const {
    const std::string script =
        "state=$(cat); echo " + kind + " $(" + tell + ") >> " + log_.string();
    return {{"path", "/bin/sh"}, {"args", {"sh", "-c", script}}, {"env", {"PATH=/usr/bin:/bin"}}};
  }
  static std::string told(const char* member) {
    return "echo \"$state\" | sed -n 's/.*\"" + std::string(member) +
           "\":\"\\([^\"]*\\)\".*/\\1/p'";
  }
  [[nodiscard]] std::string log() const { return read_file(log_).value_or(""); }

  std::filesystem::path log_ = temp_.path() / "log";
};

TEST_F(HooksTest, RunInOrderWithTheState) {
  write_shell("sleep 100", [&](Json& config) {
    for (const auto* kind :
         {"prestart", "createRuntime", "createContainer", "poststart", "poststop"})
      config["hooks"][kind] = {hook(kind, told("status")), hook(kind, told("id"))};
  });
  ok({"create", "c1"});
  EXPECT_EQ(log(),
            "prestart creating\nprestart c1\ncreateRuntime creating\ncreateRuntime c1\n"
            "createContainer creating\ncreateContainer c1\n");
  std::filesystem::remove(log_);
  ok({"start", "c1"});
  EXPECT_EQ(log(), "poststart running\npoststart c1\n");
  std::filesystem::remove(log_);
  ok({"delete", "--force", "c1"});
  EXPECT_EQ(log(), "poststop stopped\npoststop c1\n");
}

TEST_F(HooksTest, RunWhereTheyBelong) {
  std::ofstream(rootfs_ / "etc/mark") << "inside\n";
  const std::string net = "readlink /proc/self/ns/net";
  write_shell("sleep 100", [&](Json& config) {
    config["hooks"]["createRuntime"] = {hook("createRuntime", net)};
    config["hooks"]["createContainer"] = {hook("createContainer", net)};
    config["hooks"]["startContainer"] = {
        {{"path", "/bin/sh"},
         {"args", {"sh", "-c", "cat /etc/mark > /tmp/hook; readlink /proc/self >> /tmp/hook"}},
         {"env", {"PATH=/bin"}}}};
  });
  ok({"create", "c1"});
  EXPECT_FALSE(std::filesystem::exists(rootfs_ / "tmp/hook"));
  ok({"start", "c1"});
  const auto pid = state("c1").value("pid", 0);
  const auto inside =
      std::filesystem::read_symlink("/proc/" + std::to_string(pid) + "/ns/net").string();
  const auto here = std::filesystem::read_symlink("/proc/self/ns/net").string();
  EXPECT_EQ(log(), "createRuntime " + here + "\ncreateContainer " + inside + "\n");
  EXPECT_THAT(read_file(rootfs_ / "tmp/hook").value_or(""), HasSubstr("inside\n"));
  // The hook has a number in the container's pid namespace.
  std::istringstream lines(read_file(rootfs_ / "tmp/hook").value_or(""));
  std::string mark;
  int number = 0;
  lines >> mark >> number;
  EXPECT_GT(number, 1);
}

TEST_F(HooksTest, EndACreationThatTheyRefuse) {
  write_shell("true", [&](Json& config) {
    config["hooks"]["createRuntime"] = {
        {{"path", "/bin/sh"}, {"args", {"sh", "-c", "echo no >&2; exit 3"}}}};
  });
  const auto done = oci({"create", "c1"});
  EXPECT_EQ(done.status, 1);
  EXPECT_THAT(done.err, HasSubstr("createRuntime hook #0: exit status 3, stdout: , stderr: no"));
  EXPECT_EQ(leftovers(), "");
}

TEST_F(HooksTest, AreKilledWhenTheirTimeIsOver) {
  write_shell("true", [&](Json& config) {
    config["hooks"]["prestart"] = {
        {{"path", "/bin/sleep"}, {"args", {"sleep", "100"}}, {"timeout", 1}}};
  });
  EXPECT_THAT(oci({"create", "c1"}).err, HasSubstr("prestart hook #0: timed out"));
  EXPECT_EQ(leftovers(), "");
}

TEST_F(HooksTest, OfStartKillTheContainer) {
  write_shell("sleep 100", [&](Json& config) {
    config["hooks"]["startContainer"] = {{{"path", "/bin/false"}}};
    config["hooks"]["poststop"] = {hook("poststop", told("id"))};
  });
  ok({"create", "c1"});
  EXPECT_EQ(oci({"start", "c1"}).status, 1);
  wait_stopped("c1");
  ok({"delete", "c1"});
  EXPECT_EQ(log(), "poststop c1\n");
}

TEST_F(HooksTest, AfterTheStartChangeNothing) {
  write_shell("sleep 100", [&](Json& config) {
    config["hooks"]["poststart"] = {{{"path", "/bin/false"}}};
  });
  const auto done = oci({"run", "-d", "c1"});
  EXPECT_EQ(done.status, 0);
  EXPECT_THAT(done.err, HasSubstr("level=warning"));
  EXPECT_EQ(status("c1"), "running");
}

}  // namespace
}  // namespace strata::bundle
