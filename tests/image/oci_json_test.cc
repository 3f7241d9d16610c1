#include "runtime/image/oci_json.h"

#include <gtest/gtest.h>

#include "runtime/image/media_type.h"
#include "tests/support/matchers.h"

namespace strata::image {
namespace {

using testing::FailsWith;
using testing::IsOk;

const std::string kDigest = "sha256:" + std::string(64, 'a');

std::string descriptor(std::string_view type, const std::string& digest = kDigest,
                       const std::string& size = "7") {
  return R"({"mediaType":")" + std::string(type) + R"(","digest":")" + digest + R"(","size":)" +
         size + "}";
}

std::string manifest(const std::string& layer) {
  return R"({"schemaVersion":2,"config":)" + descriptor(kOciConfig) + R"(,"layers":[)" + layer +
         "]}";
}

TEST(ParseIndex, ReadsWhatItsWriterWrote) {
  const std::vector<IndexEntry> entries{{.target = {std::string(kOciManifest), kDigest, 42},
                                         .os = "linux",
                                         .architecture = "amd64",
                                         .annotations = {{kRefName, "web:1"}, {kImageId, kDigest}}},
                                        {.target = {std::string(kOciManifest), kDigest, 42}}};
  STRATA_ASSERT_OK(const auto read, parse_index(index_to_json(entries), "index"));
  ASSERT_EQ(read.size(), 2U);
  EXPECT_EQ(read[0].target.size, 42U);
  EXPECT_EQ(read[0].annotation(kRefName), "web:1");
  EXPECT_EQ(read[0].architecture, "amd64");
  EXPECT_EQ(read[1].annotation(kRefName), "");
}

class BadIndex : public ::testing::TestWithParam<const char*> {};

TEST_P(BadIndex, IsRefused) {
  EXPECT_FALSE(parse_index(GetParam(), "index.json").has_value());
}

INSTANTIATE_TEST_SUITE_P(
    Documents, BadIndex,
    ::testing::Values(
        "", "[]", "null", "{", "{}", R"({"schemaVersion":1,"manifests":[]})",
        R"({"schemaVersion":2,"manifests":{}})", R"({"schemaVersion":2,"manifests":[null]})",
        R"({"schemaVersion":2,"manifests":[{"digest":"sha256:12","size":1}]})",
        R"({"schemaVersion":2,"manifests":[{"digest":["x"],"size":1}]})",
        R"({"schemaVersion":2,"manifests":[{"digest":"../../etc/passwd","size":1}]})"));

TEST(ParseIndex, RefusesWrongAnnotations) {
  const std::string text = R"({"schemaVersion":2,"manifests":[{"digest":")" + kDigest +
                           R"(","size":1,"annotations":{"a":1}}]})";
  EXPECT_THAT(parse_index(text, "index.json"), FailsWith(EINVAL, "annotations"));
}

TEST(ParseManifest, TakesLayersOfOciAndDocker) {
  for (const auto type : {kOciLayer, kOciLayerGzip, kOciLayerZstd, kDockerLayer, kDockerLayerGzip})
    EXPECT_THAT(parse_manifest(manifest(descriptor(type)), "m"), IsOk()) << type;
}

TEST(ParseManifest, RefusesSizesThatAreNone) {
  for (const char* size : {"-1", "1.5", "\"7\"", "null", "18446744073709551615", "1e30"})
    EXPECT_THAT(parse_manifest(manifest(descriptor(kOciLayer, kDigest, size)), "m"),
                FailsWith(EINVAL, "size"))
        << size;
}

TEST(ParseManifest, RefusesDigestsThatAreNone) {
  for (const std::string& digest :
       {std::string("sha256:"), "sha256:" + std::string(63, 'a'), "sha256:" + std::string(64, 'A'),
        "sha256:" + std::string(64, '/'), "md5:" + std::string(32, 'a')})
    EXPECT_THAT(parse_manifest(manifest(descriptor(kOciLayer, digest)), "m"), FailsWith(EINVAL))
        << digest;
  EXPECT_THAT(
      parse_manifest(manifest(descriptor(kOciLayer, "sha512:" + std::string(128, 'a'))), "m"),
      FailsWith(ENOTSUP));
}

TEST(ParseManifest, RefusesForeignAndUnknownLayers) {
  EXPECT_THAT(
      parse_manifest(
          manifest(descriptor("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip")), "m"),
      FailsWith(ENOTSUP, "foreign"));
  EXPECT_THAT(
      parse_manifest(manifest(R"({"mediaType":")" + std::string(kOciLayer) + R"(","digest":")" +
                              kDigest + R"(","size":1,"urls":["http://x/"]})"),
                     "m"),
      FailsWith(ENOTSUP, "foreign"));
  EXPECT_THAT(parse_manifest(manifest(descriptor("application/wasm")), "m"),
              FailsWith(ENOTSUP, "application/wasm"));
}

TEST(ParseManifest, RefusesWhatIsAlsoAnIndex) {
  EXPECT_THAT(parse_manifest(R"({"schemaVersion":2,"manifests":[],"config":{},"layers":[]})", "m"),
              FailsWith(EINVAL));
}

TEST(ParseConfig, ReadsWhatAContainerNeeds) {
  const std::string text = R"({
    "created": "2024-05-17T09:30:12Z", "architecture": "amd64", "os": "linux",
    "config": {"User": "www:data", "Env": ["A=1"], "Entrypoint": ["/run"], "Cmd": null,
               "WorkingDir": "/srv", "StopSignal": "SIGQUIT", "ExposedPorts": {"80/tcp": {}},
               "Volumes": {"/data": {}}, "Labels": {"k": "v"}, "Healthcheck": {"Test": ["NONE"]}},
    "rootfs": {"type": "layers", "diff_ids": [")" +
                           kDigest + R"("]},
    "history": [{"created_by": "x", "empty_layer": true}]})";
  STRATA_ASSERT_OK(const ParsedConfig parsed, parse_config(text, "config"));
  EXPECT_EQ(parsed.config.user, "www:data");
  EXPECT_EQ(parsed.config.entrypoint, std::vector<std::string>{"/run"});
  EXPECT_TRUE(parsed.config.cmd.empty());
  EXPECT_EQ(parsed.config.exposed_ports, std::vector<std::string>{"80/tcp"});
  EXPECT_EQ(parsed.config.volumes, std::vector<std::string>{"/data"});
  EXPECT_EQ(parsed.config.labels.at("k"), "v");
  EXPECT_TRUE(parsed.config.history.at(0).empty_layer);
  EXPECT_EQ(parsed.diff_ids, std::vector<std::string>{kDigest});
}

TEST(ParseConfig, RefusesWrongTypes) {
  for (const char* text : {R"({"config":{"Env":"A=1"}})", R"({"config":{"Cmd":[1]}})",
                           R"({"config":[]})", R"({"rootfs":{"type":"layers","diff_ids":["x"]}})",
                           R"({"history":[1]})", R"({"config":{"Volumes":["/a"]}})", R"({"os":1})"})
    EXPECT_THAT(parse_config(text, "config"), FailsWith(EINVAL)) << text;
  EXPECT_THAT(parse_config(R"({"rootfs":{"type":"squash","diff_ids":[]}})", "config"),
              FailsWith(ENOTSUP));
}

TEST(ParseConfig, RefusesDeepNesting) {
  const std::string deep = std::string(100'000, '[') + std::string(100'000, ']');
  EXPECT_THAT(parse_config(R"({"config":)" + deep + "}", "config"), FailsWith(EINVAL));
}

}  // namespace
}  // namespace strata::image
