#include "probes/decode.h"

#include <cstring>

#include <gtest/gtest.h>

#include "probes/startup_events.h"
#include "tests/support/matchers.h"

namespace strata::probes {
namespace {

using strata::testing::FailsWith;
using strata::testing::IsOk;

template <class T>
std::span<const std::byte> bytes_of(const T& record) {
  return std::as_bytes(std::span(&record, 1));
}

strata_event_head head(unsigned kind) {
  return {.kind = kind, .process = 3, .time_ns = 123'456, .pid = 40, .own_pid = 1};
}

template <class T>
void set(char* field, const T& text) {
  std::memcpy(field, text, sizeof(text));
}

template <class T>
T decoded(std::span<const std::byte> record) {
  auto event = decode_event(record);
  EXPECT_THAT(event, IsOk());
  if (!event || !std::holds_alternative<T>(*event)) {
    ADD_FAILURE() << "another kind of event";
    return {};
  }
  return std::get<T>(*event);
}

TEST(Decode, ReadsBirths) {
  strata_task_event raw{.head = head(STRATA_EVENT_FORKED), .parent = 2, .parent_pid = 39};
  set(raw.comm, "sh");
  const auto born = decoded<Born>(bytes_of(raw));
  EXPECT_EQ(born.head.process, 3u);
  EXPECT_EQ(born.head.time_ns, 123'456u);
  EXPECT_EQ(born.head.pid, 40);
  EXPECT_EQ(born.head.own_pid, 1);
  EXPECT_EQ(born.kind, Birth::kProcess);
  EXPECT_EQ(born.parent, 2u);
  EXPECT_EQ(born.comm, "sh");

  raw.head.kind = STRATA_EVENT_THREAD;
  EXPECT_EQ(decoded<Born>(bytes_of(raw)).kind, Birth::kThread);
  raw.head.kind = STRATA_EVENT_STARTED;
  EXPECT_EQ(decoded<Born>(bytes_of(raw)).kind, Birth::kCommand);
}

TEST(Decode, ANameWithoutItsNulEndsWithItsField) {
  strata_task_event raw{.head = head(STRATA_EVENT_FORKED)};
  std::memset(raw.comm, 'a', sizeof(raw.comm));
  EXPECT_EQ(decoded<Born>(bytes_of(raw)).comm, std::string(16, 'a'));
}

TEST(Decode, SplitsArguments) {
  strata_exec_event raw{.head = head(STRATA_EVENT_EXECED)};
  set(raw.path, "/bin/echo");
  set(raw.arguments, "echo\0\0two words");  // with an empty one between
  raw.arguments_size = raw.arguments_kept = sizeof("echo\0\0two words");
  const auto executed = decoded<Executed>(bytes_of(raw));
  EXPECT_EQ(executed.path, "/bin/echo");
  EXPECT_EQ(executed.arguments, (std::vector<std::string>{"echo", "", "two words"}));
  EXPECT_FALSE(executed.arguments_cut);
}

TEST(Decode, SaysThatArgumentsAreCut) {
  strata_exec_event raw{.head = head(STRATA_EVENT_EXECED)};
  std::memset(raw.arguments, 'x', sizeof(raw.arguments));
  raw.arguments_kept = sizeof(raw.arguments);
  raw.arguments_size = 100'000;
  const auto executed = decoded<Executed>(bytes_of(raw));
  EXPECT_EQ(executed.arguments, (std::vector{std::string(sizeof(raw.arguments), 'x')}));
  EXPECT_TRUE(executed.arguments_cut);

  raw.arguments_kept = 0;  // the memory could not be read
  EXPECT_TRUE(decoded<Executed>(bytes_of(raw)).arguments.empty());
  EXPECT_TRUE(decoded<Executed>(bytes_of(raw)).arguments_cut);
}

TEST(Decode, NeverReadsBeyondTheArgumentsItHas) {
  strata_exec_event raw{.head = head(STRATA_EVENT_EXECED)};
  std::memset(raw.arguments, 'x', sizeof(raw.arguments));
  raw.arguments_kept = raw.arguments_size = 4'000'000'000u;
  EXPECT_EQ(decoded<Executed>(bytes_of(raw)).arguments.front().size(), sizeof(raw.arguments));
}

TEST(Decode, ReadsStatusesAsShellsDo) {
  strata_exit_event raw{.head = head(STRATA_EVENT_EXITED), .status = 3 << 8};
  EXPECT_EQ(decoded<Exited>(bytes_of(raw)).status, 3);
  raw.status = 9;
  EXPECT_EQ(decoded<Exited>(bytes_of(raw)).status, 137);
  raw.status = 11 | 0x80;  // with a core dump
  EXPECT_EQ(decoded<Exited>(bytes_of(raw)).status, 139);
}

TEST(Decode, ReadsCalls) {
  strata_call_event raw{
      .head = head(STRATA_EVENT_CALLED), .duration_ns = 77, .result = -2, .number = 257};
  const auto called = decoded<Called>(bytes_of(raw));
  EXPECT_EQ(called.duration_ns, 77u);
  EXPECT_EQ(called.number, 257u);
  EXPECT_EQ(called.result, -2);
  raw.unfinished = 1;
  EXPECT_EQ(decoded<Called>(bytes_of(raw)).result, std::nullopt);
}

TEST(Decode, RefusesWhatItDoesNotKnow) {
  const strata_task_event unknown{.head = head(99)};
  EXPECT_THAT(decode_event(bytes_of(unknown)), FailsWith(EPROTO, "unknown kind 99"));
  EXPECT_THAT(decode_event({}), FailsWith(EPROTO));
}

TEST(Decode, RefusesEveryTruncation) {
  const strata_exec_event raw{.head = head(STRATA_EVENT_EXECED)};
  const auto whole = bytes_of(raw);
  EXPECT_THAT(decode_event(whole), IsOk());
  for (size_t size = 0; size < whole.size(); ++size)
    ASSERT_THAT(decode_event(whole.first(size)), FailsWith(EPROTO)) << size;
}

TEST(Decode, TakesBytesAtAnyAddress) {
  const strata_exit_event raw{.head = head(STRATA_EVENT_EXITED), .status = 256};
  std::vector<std::byte> shifted(sizeof(raw) + 1);
  std::memcpy(shifted.data() + 1, &raw, sizeof(raw));
  EXPECT_EQ(decoded<Exited>(std::span(shifted).subspan(1)).status, 1);
}

}  // namespace
}  // namespace strata::probes
