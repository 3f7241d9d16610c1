#include "runtime/image/reference.h"

#include <gtest/gtest.h>

#include "tests/support/matchers.h"

namespace strata::image {
namespace {

using testing::FailsWith;

struct Case {
  const char* text;
  const char* full;
};

class ValidReference : public ::testing::TestWithParam<Case> {};

TEST_P(ValidReference, IsReadAndWrittenInFull) {
  STRATA_ASSERT_OK(const Reference reference, parse_reference(GetParam().text));
  EXPECT_EQ(reference.str(), GetParam().full);
}

INSTANTIATE_TEST_SUITE_P(
    Names, ValidReference,
    ::testing::Values(Case{"debian", "debian:latest"}, Case{"debian:bookworm", "debian:bookworm"},
                      Case{"team/web:1.0_rc-2", "team/web:1.0_rc-2"},
                      Case{"a__b/c---d.e", "a__b/c---d.e:latest"},
                      Case{"localhost/web", "localhost/web:latest"},
                      Case{"localhost:5000/team/web:x", "localhost:5000/team/web:x"},
                      Case{"Registry.Example.com/web", "Registry.Example.com/web:latest"},
                      Case{"[fe80::1]:5000/web", "[fe80::1]:5000/web:latest"},
                      Case{"docker.io/library/debian:12", "debian:12"},
                      Case{"docker.io/team/web", "team/web:latest"},
                      Case{"index.docker.io/library/debian", "debian:latest"}));

class InvalidReference : public ::testing::TestWithParam<const char*> {};

TEST_P(InvalidReference, IsRefused) {
  EXPECT_THAT(parse_reference(GetParam()), FailsWith(EINVAL));
}

INSTANTIATE_TEST_SUITE_P(Names, InvalidReference,
                         ::testing::Values("", ":", "Debian", "debian:", ":tag", "a//b", "/a", "a/",
                                           "../a", "a/../b", "a b", "a:b c", "a:.hidden", "a:-x",
                                           "a\nb", "a___b", "a..b", "-a", "a-", "a@sha256:0",
                                           "host:x/y", "host:123456/y", "\x1b[31m", "é"));

TEST(Reference, RefusesWhatIsTooLong) {
  EXPECT_THAT(parse_reference(std::string(255, 'a')), testing::IsOk());
  EXPECT_THAT(parse_reference(std::string(256, 'a')), FailsWith(EINVAL));
  EXPECT_THAT(parse_reference("a:" + std::string(128, 'a')), testing::IsOk());
  EXPECT_THAT(parse_reference("a:" + std::string(129, 'a')), FailsWith(EINVAL));
}

}  // namespace
}  // namespace strata::image
