#include "runtime/image/config_edit.h"

#include <cstdlib>

#include <gtest/gtest.h>

#include "runtime/image/oci_json.h"
#include "tests/support/matchers.h"

namespace strata::image {
namespace {

using testing::FailsWith;
using Strings = std::vector<std::string>;

const std::string kDigest = "sha256:" + std::string(64, 'a');

// The configuration that `changes` make of `base`.
Result<Config> edited(const std::optional<std::string>& base, const Strings& changes) {
  ConfigEdit edit{.created = "2024-05-17T09:30:12Z", .created_by = "test", .diff_id = kDigest};
  STRATA_TRY(edit.changes, parse_changes(changes));
  STRATA_TRY(const std::string text, edit_config(base, edit));
  STRATA_TRY(const ParsedConfig parsed, parse_config(text, "edited"));
  return parsed.config;
}

TEST(ConfigChanges, SpeakDockerfile) {
  STRATA_ASSERT_OK(const Config config,
                   edited({}, {R"(CMD ["/bin/sh", "-c", "echo \"hi\""])", "ENTRYPOINT /run now",
                               R"(ENV A=1 B="two words" C=three\ words)", "ENV OLD the rest",
                               "env A=2", "WORKDIR /srv", "WORKDIR app/../web", "USER www:data",
                               "EXPOSE 80 53/udp", "VOLUME /data /log", R"(VOLUME ["/x y"])",
                               R"(LABEL a.b="c d" e='f')", "STOPSIGNAL SIGQUIT"}));
  EXPECT_EQ(config.cmd, (Strings{"/bin/sh", "-c", "echo \"hi\""}));
  EXPECT_EQ(config.entrypoint, (Strings{"/bin/sh", "-c", "/run now"}));
  EXPECT_EQ(config.env, (Strings{"A=2", "B=two words", "C=three words", "OLD=the rest"}));
  EXPECT_EQ(config.working_dir, "/srv/web");
  EXPECT_EQ(config.user, "www:data");
  EXPECT_EQ(config.exposed_ports, (Strings{"53/udp", "80/tcp"}));
  EXPECT_EQ(config.volumes, (Strings{"/data", "/log", "/x y"}));
  EXPECT_EQ(config.labels.at("a.b"), "c d");
  EXPECT_EQ(config.labels.at("e"), "f");
  EXPECT_EQ(config.stop_signal, "SIGQUIT");
}

TEST(ConfigChanges, AreRefusedWhenTheySayNothing) {
  for (const char* text :
       {"", "CMD", "RUN make", "ONBUILD x", "ENV =1", "ENV A=1 B", "EXPOSE http", "EXPOSE 0",
        "EXPOSE 80/x", "EXPOSE 70000", "WORKDIR a b", "LABEL \"a=b", "VOLUME data", "USER"})
    EXPECT_THAT(parse_change(text), FailsWith(EINVAL)) << text;
}

TEST(ConfigEdit, KeepsWhatTheBaseHasAndWeDoNotKnow) {
  const std::string base = R"({"architecture":"arm64","os":"linux","author":"them","variant":"v8",
    "container":"gone","config":{"Env":["A=1"],"Cmd":["x"],"Healthcheck":{"Test":["NONE"]}},
    "rootfs":{"type":"layers","diff_ids":[")" +
                           kDigest + R"("]},"history":[{"created_by":"first"}]})";
  ConfigEdit edit{.created = "now", .created_by = "second", .comment = "why", .diff_id = kDigest};
  STRATA_ASSERT_OK(edit.changes, parse_changes({"ENTRYPOINT [\"/e\"]"}));
  STRATA_ASSERT_OK(const std::string text, edit_config(base, edit));
  STRATA_ASSERT_OK(const ParsedConfig parsed, parse_config(text, "edited"));
  EXPECT_EQ(parsed.config.architecture, "arm64");
  EXPECT_EQ(parsed.config.author, "them");
  EXPECT_EQ(parsed.config.env, Strings{"A=1"});
  EXPECT_EQ(parsed.config.entrypoint, Strings{"/e"});
  EXPECT_TRUE(parsed.config.cmd.empty()) << "it was meant for the base's entry point";
  EXPECT_EQ(parsed.diff_ids.size(), 2U);
  ASSERT_EQ(parsed.config.history.size(), 2U);
  EXPECT_EQ(parsed.config.history[1].comment, "why");
  EXPECT_NE(text.find("Healthcheck"), std::string::npos);
  EXPECT_NE(text.find("variant"), std::string::npos);
  EXPECT_EQ(text.find("container\":"), std::string::npos);
}

TEST(CreationTime, IsRfc3339AndReproducibleOnRequest) {
  ::setenv("SOURCE_DATE_EPOCH", "86400", 1);
  EXPECT_EQ(creation_time(), "1970-01-02T00:00:00.000000000Z");
  ::unsetenv("SOURCE_DATE_EPOCH");
  EXPECT_GT(creation_time(), "2024-01-01T00:00:00.000000000Z");
}

}  // namespace
}  // namespace strata::image
