#include "runtime/container/log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <random>

#include <gtest/gtest.h>

#include "runtime/container/log_writer.h"
#include "tests/support/environment.h"
#include "tests/support/matchers.h"
#include "tests/support/temp_dir.h"
#include "unionfs/base/file.h"
#include "unionfs/base/json.h"

namespace strata::container {
namespace {

using testing::IsOk;

constexpr std::string_view kTime = "2024-05-17T09:30:12.123456789Z";

TEST(LogRecords, AreDockersJsonFile) {
  EXPECT_EQ(format_record(Stream::kErr, "a \"b\"\\\t\n", kTime),
            "{\"log\":\"a \\\"b\\\"\\\\\\u0009\\n\",\"stream\":\"stderr\",\"time\":\"" +
                std::string(kTime) + "\"}\n");
}

TEST(LogRecords, HoldAnyBytes) {
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  const std::vector<std::string> texts{"",
                                       "plain",
                                       "grüße, 世界 🚢\n",
                                       all,
                                       "\xED\xA0\x80" /* a surrogate */,
                                       "\xC0\xAF",
                                       "\xF4\x90\x80\x80",
                                       "\xE4\xB8",
                                       std::string(1, '\0'),
                                       "\\n\",\"stream\":\""};
  for (const auto& text : texts) {
    std::string line = format_record(Stream::kOut, text, kTime);
    ASSERT_EQ(line.back(), '\n');
    line.pop_back();
    EXPECT_EQ(line.find('\n'), std::string::npos);
    const auto record = parse_record(line);
    ASSERT_TRUE(record.has_value()) << line;
    EXPECT_EQ(record->text, text);
    EXPECT_EQ(record->stream, Stream::kOut);
    EXPECT_EQ(record->time, kTime);
  }
}

// Another implementation reads what we write.
TEST(LogRecords, AreJsonForOthers) {
  STRATA_NEEDS_PROGRAM("python3");
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  bytes += "grüße";
  const auto done =
      testing::run({"python3", "-c",
                    "import json,sys; sys.stdout.buffer.write("
                    "json.loads(sys.stdin.read())['log'].encode('utf-8','surrogateescape'))"},
                   format_record(Stream::kOut, bytes, kTime));
  EXPECT_EQ(done.out, bytes) << done.err;
}

TEST(LogRecords, ParserRefusesWhatIsNotOurs) {
  for (const auto* line :
       {"", "{", "{}", R"({"log":"x"})", R"({"log":"x","stream":"stdin","time":""})",
        R"({"log":"x\u12","stream":"stdout","time":""})",
        R"({"log":"x\q","stream":"stdout","time":""})",
        R"({"log":"x","stream":"stdout","time":""} )"})
    EXPECT_EQ(parse_record(line), std::nullopt) << line;
}

class LogFile : public ::testing::Test {
 protected:
  void append(std::string_view text) const {
    STRATA_ASSERT_OK(const auto fd, open_file(path_, O_WRONLY | O_CREAT | O_APPEND, 0600));
    ASSERT_EQ(::write(fd.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  [[nodiscard]] UniqueFd open() const {
    auto fd = open_file(path_, O_RDONLY);
    EXPECT_THAT(fd, IsOk());
    return std::move(fd).value_or(UniqueFd());
  }
  // All texts from an offset, streams mixed as they come.
  static std::string read_all(LogReader& reader) {
    std::string text;
    for (;;) {
      auto record = reader.next();
      EXPECT_THAT(record, IsOk());
      if (!record || !*record) return text;
      text += (*record)->text;
    }
  }
  [[nodiscard]] std::string tail(size_t lines) const {
    UniqueFd fd = open();
    const auto offset = tail_offset(fd.get(), lines);
    EXPECT_THAT(offset, IsOk());
    LogReader reader(std::move(fd), offset.value_or(0));
    return read_all(reader);
  }

  testing::TempDir dir_;
  std::filesystem::path path_ = dir_ / "log";
};

TEST_F(LogFile, RandomBytesInRandomPortionsComeOutAsTheyWent) {
  std::mt19937 random(7);
  std::string written;
  LogFormatter formatter;
  const timespec now{};
  for (int i = 0; i < 300; ++i) {
    std::string portion;
    const auto size = random() % 5000;
    for (size_t k = 0; k < size; ++k) {
      const auto kind = random() % 8;
      if (kind == 0)
        portion += "ü世🚢";
      else if (kind == 1)
        portion += '\n';
      else if (kind == 2)
        portion += static_cast<char>(random());
      else
        portion += static_cast<char>('a' + random() % 26);
    }
    // Cut anywhere, also through a character.
    const auto at = portion.empty() ? 0 : random() % portion.size();
    append(formatter.format(Stream::kOut, portion.substr(0, at), now));
    append(formatter.format(Stream::kOut, portion.substr(at), now));
    written += portion;
  }
  append(formatter.finish(now));
  LogReader reader(open(), 0);
  EXPECT_TRUE(read_all(reader) == written);
}

TEST_F(LogFile, ACharacterCutInTwoIsOneInTheLog) {
  LogFormatter formatter;
  const timespec now{};
  EXPECT_EQ(formatter.format(Stream::kOut, "\xC3", now), "");
  EXPECT_NE(formatter.format(Stream::kErr, "x", now), "");
  const std::string line = formatter.format(Stream::kOut, "\xBC", now);
  EXPECT_NE(line.find("ü"), std::string::npos) << line;
  EXPECT_EQ(formatter.format(Stream::kOut, "\xE4\xB8", now), "");
  EXPECT_NE(formatter.finish(now).find("\\udce4\\udcb8"), std::string::npos);
}

TEST_F(LogFile, LongLinesBecomeSeveralRecords) {
  LogFormatter formatter;
  const std::string line(50'000, 'x');
  const std::string records = formatter.format(Stream::kOut, line + "\n", timespec{});
  EXPECT_EQ(std::count(records.begin(), records.end(), '\n'), 4);
  append(records);
  LogReader reader(open(), 0);
  EXPECT_EQ(read_all(reader), line + "\n");
}

TEST_F(LogFile, AReaderSeesWhatComesLater) {
  append(format_record(Stream::kOut, "one\n", kTime));
  LogReader reader(open(), 0);
  EXPECT_EQ(read_all(reader), "one\n");
  EXPECT_EQ(read_all(reader), "");
  const std::string two = format_record(Stream::kOut, "two\n", kTime);
  append(two.substr(0, 9));
  EXPECT_EQ(read_all(reader), "");
  append(two.substr(9));
  EXPECT_EQ(read_all(reader), "two\n");
}

TEST_F(LogFile, HalfARecordOfAKilledWriterIsPassedOver) {
  append(R"({"log":"half)"
         "\n");
  append(format_record(Stream::kOut, "whole\n", kTime));
  LogReader reader(open(), 0);
  EXPECT_EQ(read_all(reader), "whole\n");
  EXPECT_EQ(tail(5), "whole\n");
}

TEST_F(LogFile, TailCountsLinesNotRecords) {
  append("");
  EXPECT_EQ(tail(3), "");
  append(format_record(Stream::kOut, "1\n", kTime));
  append(format_record(Stream::kOut, "2 in ", kTime));
  append(format_record(Stream::kOut, "parts\n", kTime));
  append(format_record(Stream::kErr, "3\n", kTime));
  EXPECT_EQ(tail(0), "");
  EXPECT_EQ(tail(1), "3\n");
  EXPECT_EQ(tail(2), "2 in parts\n3\n");
  EXPECT_EQ(tail(3), "1\n2 in parts\n3\n");
  EXPECT_EQ(tail(99), "1\n2 in parts\n3\n");
  append(format_record(Stream::kOut, "prompt> ", kTime));
  EXPECT_EQ(tail(1), "prompt> ");
  EXPECT_EQ(tail(2), "3\nprompt> ");
  append(R"({"log":"half)");
  EXPECT_EQ(tail(1), "prompt> ");
}

TEST_F(LogFile, TailOfALargeLog) {
  for (int i = 0; i < 20'000; ++i)
    append(format_record(Stream::kOut, std::to_string(i) + "\n", kTime));
  EXPECT_EQ(tail(2), "19998\n19999\n");
  const std::string many = tail(10'000);
  EXPECT_TRUE(many.starts_with("10000\n")) << many.substr(0, 20);
}

class LongLog : public LogFile {
 protected:
  static constexpr off_t kKept = 3 * kLogPortion;

  [[nodiscard]] LogWriter writer() const {
    auto fd = open_file(path_, O_RDWR | O_CREAT | O_APPEND, 0600);
    EXPECT_THAT(fd, IsOk());
    return LogWriter(std::move(fd).value_or(UniqueFd()), kKept);
  }
  // Records that begin with the numbers `from` to `to`, of about a kilobyte each.
  static void write_numbers(LogWriter& log, int from, int to) {
    for (int i = from; i < to; ++i) {
      std::string text = std::to_string(i);
      text.append(1000, ' ').append("\n");
      ASSERT_THAT(log.append(format_record(Stream::kOut, text, kTime)), IsOk());
    }
  }
  // The numbers of the records that are there, which must follow one another.
  static std::pair<int, int> numbers(LogReader& reader) {
    int first = -1;
    int last = -1;
    for (;;) {
      const auto record = reader.next();
      EXPECT_THAT(record, IsOk());
      if (!record || !*record) return {first, last};
      const int number = std::stoi((*record)->text);
      if (first < 0)
        first = number;
      else
        EXPECT_EQ(number, last + 1);
      last = number;
    }
  }
  [[nodiscard]] off_t size_on_disk() const {
    struct stat st {};
    ::stat(path_.c_str(), &st);
    return st.st_blocks * 512;
  }
};

TEST_F(LongLog, KeepsItsLastPart) {
  LogWriter log = writer();
  LogReader early(open(), 0);
  write_numbers(log, 0, 10'000);
  EXPECT_LT(size_on_disk(), kKept + 2 * kLogPortion);
  LogReader reader(open(), 0);
  const auto [first, last] = numbers(reader);
  EXPECT_EQ(last, 9'999);
  EXPECT_LT(first, 10'000 - kKept / 1200);
  EXPECT_GT(first, 10'000 - (kKept + 2 * kLogPortion) / 1000);
  EXPECT_EQ(numbers(early).second, 9'999);
  EXPECT_EQ(tail(1).substr(0, 5), "9999 ");
}

TEST_F(LongLog, ATailThatIsLongerThanTheLogIsTheLog) {
  LogWriter log = writer();
  write_numbers(log, 0, 10'000);
  LogReader reader(open(), 0);
  const auto [first, last] = numbers(reader);
  EXPECT_EQ(tail(100'000).substr(0, 5), std::to_string(first) + " ");
}

TEST_F(LongLog, AReaderThatIsOvertakenGoesOnWhereTheLogBegins) {
  LogWriter log = writer();
  LogReader reader(open(), 0);
  write_numbers(log, 0, 10);
  EXPECT_THAT(reader.next(), IsOk());
  write_numbers(log, 10, 10'000);
  // What it had read ahead comes first.
  int last = 0;
  for (auto record = reader.next(); record && *record; record = reader.next())
    last = std::stoi((*record)->text);
  EXPECT_EQ(last, 9'999);
}

TEST_F(LongLog, WhatAReaderHoldsStays) {
  LogWriter log = writer();
  write_numbers(log, 0, 1);
  LogReader reader(open(), 0);
  reader.hold();
  write_numbers(log, 1, 10'000);
  EXPECT_TRUE(log.is_full());
  EXPECT_EQ(numbers(reader), std::pair(0, 9'999));
  EXPECT_FALSE(log.is_full());
  EXPECT_LT(size_on_disk(), kKept + 2 * kLogPortion);
}

TEST_F(LongLog, AReaderThatGoesAwayHoldsNothing) {
  LogWriter log = writer();
  {
    LogReader reader(open(), 0);
    reader.hold();
    write_numbers(log, 0, 10'000);
    EXPECT_TRUE(log.is_full());
  }
  EXPECT_FALSE(log.is_full());
}

TEST_F(LongLog, AnotherWriterGoesOnWithIt) {
  for (int run = 0; run < 4; ++run) {
    LogWriter log = writer();
    write_numbers(log, run * 3'000, (run + 1) * 3'000);
  }
  EXPECT_LT(size_on_disk(), kKept + 2 * kLogPortion);
  LogReader reader(open(), 0);
  EXPECT_EQ(numbers(reader).second, 11'999);
}

}  // namespace
}  // namespace strata::container
