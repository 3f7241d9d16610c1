// What host and guest say to each other: whole, cut anywhere, and falsified.

#include "runtime/vm/protocol.h"

#include <vector>

#include <gtest/gtest.h>

#include "runtime/vm/frame_reader.h"
#include "tests/support/matchers.h"

namespace strata::vm {
namespace {

using testing::FailsWith;

TEST(Records, ComeBackAsTheyWere) {
  const std::vector<std::pair<RecordTag, std::string>> records{
      {RecordTag::kArgument, "sh"},
      {RecordTag::kArgument, ""},
      {RecordTag::kArgument, "two words\nand lines \xc3\xa4 \xff"},
      {RecordTag::kVariable, "A=b=c"},
      {RecordTag::kDirectory, "/"},
      {RecordTag::kUser, std::string(100'000, 'u')}};
  std::string config;
  for (const auto& [tag, value] : records) encode_record(config, tag, value);
  std::string_view rest = config;
  for (const auto& [tag, value] : records) {
    const auto record = decode_record(rest);
    ASSERT_TRUE(record.has_value());
    EXPECT_EQ(record->tag, tag);
    EXPECT_EQ(record->value, value);
  }
  EXPECT_FALSE(decode_record(rest).has_value());
  EXPECT_TRUE(rest.empty());
}

TEST(Records, CutOffAnywhereAreNotedAsRest) {
  std::string config;
  encode_record(config, RecordTag::kArgument, "hello");
  for (size_t size = 1; size < config.size(); ++size) {
    std::string_view rest = std::string_view(config).substr(0, size);
    EXPECT_FALSE(decode_record(rest).has_value());
    EXPECT_EQ(rest.size(), size);
  }
}

TEST(FrameReader, FindsFramesHoweverTheyArrive) {
  const std::string stream = encode_frame(FrameType::kReady, "") +
                             encode_frame(FrameType::kStdout, "one") +
                             encode_frame(FrameType::kStderr, std::string(kMaxChunk, '\0')) +
                             encode_frame(FrameType::kExit, std::string("\x03\0\0\0", 4));
  for (const size_t step : {size_t{1}, size_t{7}, size_t{4096}, stream.size()}) {
    FrameReader reader;
    std::vector<std::pair<FrameType, std::string>> frames;
    for (size_t at = 0; at < stream.size(); at += step) {
      reader.append(std::string_view(stream).substr(at, step));
      for (;;) {
        STRATA_ASSERT_OK(const auto frame, reader.next());
        if (!frame) break;
        frames.emplace_back(frame->type, frame->payload);
      }
    }
    ASSERT_EQ(frames.size(), 4U);
    EXPECT_EQ(frames[0].first, FrameType::kReady);
    EXPECT_EQ(frames[1].second, "one");
    EXPECT_EQ(frames[2].second, std::string(kMaxChunk, '\0'));
    EXPECT_EQ(leading_number(frames[3].second), 3U);
  }
}

TEST(FrameReader, RefusesWhatIsNoFrame) {
  FrameReader too_long;
  too_long.append(encode_frame(FrameType::kStdout, std::string(kMaxChunk + 1, 'x')));
  EXPECT_THAT(too_long.next(), FailsWith(EPROTO));
  FrameReader unknown;
  unknown.append("this is not what we speak");
  EXPECT_THAT(unknown.next(), FailsWith(EPROTO));
}

TEST(FrameReader, ANumberNeedsItsFourBytes) {
  EXPECT_EQ(leading_number("abc"), std::nullopt);
  EXPECT_EQ(leading_number(std::string_view("\x7f\0\0\0why", 7)), 127U);
}

}  // namespace
}  // namespace strata::vm
