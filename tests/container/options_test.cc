#include <signal.h>

#include <algorithm>

#include <gtest/gtest.h>

#include "runtime/container/create.h"
#include "runtime/container/environment.h"
#include "runtime/container/signals.h"
#include "runtime/container/spec.h"
#include "runtime/container/time.h"
#include "tests/support/matchers.h"
#include "tests/support/temp_dir.h"

namespace strata::container {
namespace {

using ::testing::Contains;
using testing::FailsWith;
using testing::IsOk;
using ::testing::Not;
using ::testing::StartsWith;
using Strings = std::vector<std::string>;

image::Image sample_image() {
  image::Image image;
  image.id = "sha256:1";
  image.config.entrypoint = {"/entry"};
  image.config.cmd = {"default"};
  image.config.env = {"PATH=/image", "A=image", "nonsense"};
  image.config.working_dir = "/srv";
  image.config.user = "www-data";
  image.config.stop_signal = "SIGQUIT";
  for (const auto* diff_id : {"sha256:bottom", "sha256:middle", "sha256:bottom", "sha256:top"}) {
    image::Layer layer;
    layer.diff_id = diff_id;
    image.layers.push_back(std::move(layer));
  }
  return image;
}

Record record_for(const CreateOptions& options, const image::Image& image = sample_image()) {
  auto record = make_record(image, "web", options, std::string(64, 'c'));
  EXPECT_THAT(record, IsOk());
  return std::move(record).value_or(Record{});
}

TEST(MakeRecord, CommandFollowsDocker) {
  EXPECT_EQ(record_for({}).args, (Strings{"/entry", "default"}));
  EXPECT_EQ(record_for({.command = {"x", "y"}}).args, (Strings{"/entry", "x", "y"}));
  EXPECT_EQ(record_for({.entrypoint = "/other"}).args, (Strings{"/other"}));
  EXPECT_EQ(record_for({.command = {"x"}, .entrypoint = "/other"}).args, (Strings{"/other", "x"}));
  EXPECT_EQ(record_for({.command = {"x"}, .entrypoint = ""}).args, (Strings{"x"}));
  EXPECT_THAT(make_record(sample_image(), "web", {.entrypoint = ""}, "c"),
              FailsWith(EINVAL, "image web does not say what to run"));
  EXPECT_THAT(make_record({}, "web", {}, "c"), FailsWith(EINVAL));
}

TEST(MakeRecord, EnvironmentIsLaidOverTheImages) {
  const auto env = record_for({.env = {"A=user", "B=", "PATH"}, .terminal = true}).env;
  EXPECT_THAT(env, Contains("A=user"));
  EXPECT_THAT(env, Contains("B="));
  EXPECT_THAT(env, Contains("TERM=xterm"));
  EXPECT_THAT(env, Contains("HOSTNAME=cccccccccccc"));
  EXPECT_THAT(env, Not(Contains(StartsWith("PATH"))));
  EXPECT_THAT(env, Not(Contains("nonsense")));
  EXPECT_THAT(record_for({}).env, Contains("PATH=/image"));
  EXPECT_THAT(record_for({},
                         [] {
                           auto image = sample_image();
                           image.config.env.clear();
                           return image;
                         }())
                  .env,
              Contains("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"));
  EXPECT_THAT(make_record(sample_image(), "web", {.env = {"=x"}}, "c"), FailsWith(EINVAL));
}

TEST(MakeRecord, OptionsWinOverTheImage) {
  const auto plain = record_for({});
  EXPECT_EQ(plain.cwd, "/srv");
  EXPECT_EQ(plain.user, "www-data");
  EXPECT_EQ(plain.stop_signal, "SIGQUIT");
  EXPECT_EQ(plain.hostname, "cccccccccccc");
  const auto chosen = record_for(
      {.working_dir = "/tmp/../var", .user = "7", .hostname = "db.example", .stop_signal = "INT"});
  EXPECT_EQ(chosen.cwd, "/var");
  EXPECT_EQ(chosen.user, "7");
  EXPECT_EQ(chosen.hostname, "db.example");
  EXPECT_EQ(chosen.stop_signal, "INT");
}

TEST(MakeRecord, LayersAreTopFirstAndEachOnce) {
  EXPECT_EQ(record_for({}).layers, (Strings{"sha256:top", "sha256:bottom", "sha256:middle"}));
}

TEST(MakeRecord, RefusesNonsense) {
  const auto make = [](const CreateOptions& options) {
    return make_record(sample_image(), "web", options, "c");
  };
  EXPECT_THAT(make({.working_dir = "relative"}), FailsWith(EINVAL));
  EXPECT_THAT(make({.hostname = ""}), FailsWith(EINVAL));
  EXPECT_THAT(make({.hostname = std::string(65, 'x')}), FailsWith(EINVAL));
  EXPECT_THAT(make({.stop_signal = "NOSUCH"}), FailsWith(EINVAL));
  EXPECT_THAT(make({.name = "-"}), FailsWith(EINVAL));
}

TEST(Volumes, AreParsed) {
  STRATA_ASSERT_OK(auto volume, parse_volume("/a/:/b/", "/here"));
  EXPECT_EQ(volume, (Volume{"/a", "/b", false}));
  STRATA_ASSERT_OK(volume, parse_volume("./data:/b:ro", "/here"));
  EXPECT_EQ(volume, (Volume{"/here/data", "/b", true}));
  STRATA_ASSERT_OK(volume, parse_volume("/:/host:rw", "/here"));
  EXPECT_EQ(volume, (Volume{"/", "/host", false}));
  for (const auto* bad : {"", "/a", "name:/b", ":/b", "/a:b", "/a:/", "/a:/b:rx", "/a:/b/../"})
    EXPECT_THAT(parse_volume(bad, "/here"), FailsWith(EINVAL)) << bad;
}

TEST(Limits, AreParsed) {
  for (const auto& [text, bytes] :
       std::vector<std::pair<std::string, int64_t>>{{"4096", 4096},
                                                    {"64k", 65536},
                                                    {"512m", 536870912},
                                                    {"512MB", 536870912},
                                                    {"1.5g", 1610612736},
                                                    {"100b", 100}}) {
    STRATA_ASSERT_OK(const auto parsed, parse_memory(text));
    EXPECT_EQ(parsed, bytes) << text;
  }
  for (const auto* bad : {"", "m", "-1", "0", "1x", "nan", "inf", "1e30g", "12 m"})
    EXPECT_THAT(parse_memory(bad), FailsWith(EINVAL)) << bad;

  oci::Resources limits;
  EXPECT_THAT(parse_cpus("1.5", limits), IsOk());
  EXPECT_EQ(limits.cpu_quota, 150'000);
  EXPECT_EQ(limits.cpu_period, 100'000U);
  for (const auto* bad : {"", "0", "-2", "0.001", "two"})
    EXPECT_THAT(parse_cpus(bad, limits), FailsWith(EINVAL)) << bad;
}

TEST(EnvFile, FollowsDocker) {
  STRATA_ASSERT_OK(const auto env,
                   parse_env_file("# comment\n\nA=1\n  B=two words\r\nC\nD=#x", "f"));
  EXPECT_EQ(env, (Strings{"A=1", "B=two words", "C", "D=#x"}));
  EXPECT_THAT(parse_env_file("A=1\na b=2\n", "f"), FailsWith(EINVAL, "f, line 2"));
  EXPECT_THAT(parse_env_file("=2\n", "f"), FailsWith(EINVAL));
}

TEST(Signals, ByNameAndNumber) {
  for (const auto& [text, number] :
       std::vector<std::pair<std::string, int>>{{"TERM", SIGTERM},
                                                {"sigint", SIGINT},
                                                {"9", SIGKILL},
                                                {"SIGRTMIN+3", SIGRTMIN + 3},
                                                {"RTMAX-1", SIGRTMAX - 1},
                                                {"RTMIN", SIGRTMIN},
                                                {"WINCH", SIGWINCH}}) {
    STRATA_ASSERT_OK(const int signal, parse_signal(text));
    EXPECT_EQ(signal, number) << text;
  }
  for (const auto* bad : {"", "0", "-1", "65", "TERMINATE", "RTMIN+99", "RTMIN-1", "RTMAX+1"})
    EXPECT_THAT(parse_signal(bad), FailsWith(EINVAL)) << bad;
}

TEST(Times, AreRfc3339) {
  EXPECT_EQ(format_time({1715938212, 5}), "2024-05-17T09:30:12.000000005Z");
  EXPECT_EQ(parse_time("2024-05-17T09:30:12.123456789Z"), 1715938212);
  EXPECT_EQ(parse_time("yesterday"), std::nullopt);
  EXPECT_EQ(parse_time(""), std::nullopt);
  EXPECT_EQ(human_duration(0), "Less than a second");
  EXPECT_EQ(human_duration(1), "1 second");
  EXPECT_EQ(human_duration(150), "2 minutes");
  EXPECT_EQ(human_duration(3 * 86400), "3 days");
}

class MakeSpec : public ::testing::Test {
 protected:
  [[nodiscard]] oci::Spec spec_for(const CreateOptions& options) const {
    const auto store = image::Store::open(dir_ / "store");
    EXPECT_THAT(store, IsOk());
    const Record record = record_for(options);
    return make_spec(record, {.ids = {.uid = 33, .gid = 33}, .home = "/var/www"},
                     Files(*store, record.id));
  }
  static bool has_network(const oci::Spec& spec) {
    return std::any_of(spec.linux.namespaces.begin(), spec.linux.namespaces.end(),
                       [](const auto& ns) { return ns.type == "network"; });
  }

  testing::TempDir dir_;
};

TEST_F(MakeSpec, SaysWhatTheRecordSays) {
  CreateOptions options{.read_only = true};
  options.limits.pids_limit = 7;
  const auto spec = spec_for(options);
  EXPECT_EQ(spec.process.args, (Strings{"/entry", "default"}));
  EXPECT_EQ(spec.process.user.uid, 33U);
  EXPECT_EQ(spec.process.cwd, "/srv");
  EXPECT_THAT(spec.process.env, Contains("HOME=/var/www"));
  EXPECT_TRUE(spec.root.readonly);
  EXPECT_TRUE(has_network(spec));
  EXPECT_EQ(spec.linux.cgroups_path, "/strata/" + std::string(64, 'c'));
  EXPECT_EQ(spec.linux.resources.pids_limit, 7);
  EXPECT_FALSE(spec.linux.resources.devices.empty()) << "the default rules stay";
  EXPECT_FALSE(has_network(spec_for({.network = Network::kHost})));
  EXPECT_THAT(spec_for({.env = {"HOME=/mine"}}).process.env, Not(Contains("HOME=/var/www")));
}

TEST_F(MakeSpec, MountsParentsFirstAndTheUsersLast) {
  const auto spec = spec_for({.volumes = {{"/a", "/data/deep", true}, {"/b", "/data", false}}});
  Strings destinations;
  for (const auto& mount : spec.mounts) destinations.push_back(mount.destination);
  ASSERT_GE(destinations.size(), 5U);
  const Strings last(destinations.end() - 4, destinations.end());
  EXPECT_EQ(last, (Strings{"/etc/hostname", "/etc/hosts", "/data", "/data/deep"}));
  EXPECT_THAT(spec.mounts.back().options, Contains("ro"));
  EXPECT_EQ(spec.mounts.back().source, "/a");
}

}  // namespace
}  // namespace strata::container
