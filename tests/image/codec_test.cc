#include "runtime/image/codec.h"

#include <random>

#include <gtest/gtest.h>

#include "tests/image/archives.h"
#include "tests/support/environment.h"
#include "tests/support/matchers.h"

namespace strata::image {
namespace {

using testing::FailsWith;
using testing::StringSink;
using testing::StringSource;

// Bytes that compress somewhat, as files do.
std::string sample(size_t size) {
  std::mt19937 random(7);
  std::string bytes;
  while (bytes.size() < size) bytes += std::to_string(random() % 1000) + " some words ";
  bytes.resize(size);
  return bytes;
}

Result<std::string> decompressed(const std::string& bytes, Accept accept, size_t chunk = 100'000) {
  StringSource in(bytes, chunk);
  StringSink out;
  STRATA_TRY(const auto source, decompress(in, accept));
  STRATA_CHECK(copy_stream(*source, out));
  return out.bytes();
}

class RoundTrip : public ::testing::TestWithParam<Compression> {};

TEST_P(RoundTrip, GivesTheSameBytes) {
  for (const size_t size : {size_t{0}, size_t{1}, size_t{5}, size_t{3'000'000}}) {
    const std::string bytes = sample(size);
    const std::string packed = testing::compressed(bytes, GetParam());
    for (const size_t chunk : {size_t{1'000'000}, size_t{4097}}) {
      STRATA_ASSERT_OK(const std::string back, decompressed(packed, Accept::kLayer, chunk));
      EXPECT_TRUE(back == bytes) << size;
    }
  }
}

TEST_P(RoundTrip, IsReproducible) {
  const std::string bytes = sample(2'000'000);
  EXPECT_TRUE(testing::compressed(bytes, GetParam()) == testing::compressed(bytes, GetParam()));
}

TEST_P(RoundTrip, TakesSeveralStreamsInARow) {
  const std::string packed =
      testing::compressed("one ", GetParam()) + testing::compressed("two", GetParam());
  STRATA_ASSERT_OK(const std::string back, decompressed(packed, Accept::kLayer));
  EXPECT_EQ(back, "one two");
}

INSTANTIATE_TEST_SUITE_P(All, RoundTrip,
                         ::testing::Values(Compression::kNone, Compression::kGzip,
                                           Compression::kZstd));

class Damage : public ::testing::TestWithParam<Compression> {};

TEST_P(Damage, OfAnyKindIsSeen) {
  const std::string packed = testing::compressed(sample(300'000), GetParam());
  for (const size_t length : {packed.size() - 1, packed.size() / 2, size_t{10}})
    EXPECT_THAT(decompressed(packed.substr(0, length), Accept::kLayer), FailsWith(EBADMSG))
        << length;
  for (const size_t at : {packed.size() - 2, packed.size() / 2}) {
    std::string flipped = packed;
    flipped[at] = static_cast<char>(flipped[at] ^ 1);
    EXPECT_THAT(decompressed(flipped, Accept::kLayer), FailsWith(EBADMSG)) << at;
  }
  EXPECT_THAT(decompressed(packed + "garbage", Accept::kLayer), FailsWith(EBADMSG));
}

INSTANTIATE_TEST_SUITE_P(All, Damage, ::testing::Values(Compression::kGzip, Compression::kZstd));

TEST(Gzip, SkipsPaddingAtTheEnd) {
  STRATA_ASSERT_OK(
      const std::string back,
      decompressed(testing::compressed("x", Compression::kGzip) + std::string(10'000, '\0'),
                   Accept::kLayer));
  EXPECT_EQ(back, "x");
}

TEST(OtherCompressions, AreReadWhereTheyAreAccepted) {
  const std::string bytes = sample(500'000);
  for (const char* program : {"xz", "bzip2"}) {
    STRATA_NEEDS_PROGRAM(program);
    const Completed packed = testing::run({program, "-c"}, bytes);
    ASSERT_EQ(packed.status, 0);
    STRATA_ASSERT_OK(const std::string back, decompressed(packed.out, Accept::kAny));
    EXPECT_TRUE(back == bytes) << program;
    EXPECT_THAT(decompressed(packed.out, Accept::kLayer), FailsWith(ENOTSUP)) << program;
    EXPECT_THAT(decompressed(packed.out.substr(0, packed.out.size() / 2), Accept::kAny),
                FailsWith(EBADMSG))
        << program;
  }
}

TEST(OurStreams, AreReadByTheirOwnPrograms) {
  const std::string bytes = sample(500'000);
  STRATA_NEEDS_PROGRAM("gzip");
  EXPECT_TRUE(testing::run({"gzip", "-dc"}, testing::compressed(bytes, Compression::kGzip)).out ==
              bytes);
  STRATA_NEEDS_PROGRAM("zstd");
  EXPECT_TRUE(testing::run({"zstd", "-dc"}, testing::compressed(bytes, Compression::kZstd)).out ==
              bytes);
}

}  // namespace
}  // namespace strata::image
