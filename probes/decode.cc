#include "probes/decode.h"

#include <sys/wait.h>

#include <algorithm>
#include <cstring>
#include <string_view>

#include "probes/startup_events.h"

namespace strata::probes {
namespace {

// The record as the struct T, copied: ring buffers align to 8 bytes, hand-made bytes may not.
template <class T>
Result<T> record_as(std::span<const std::byte> record) {
  if (record.size() < sizeof(T)) {
    return fail(EPROTO, "event of " + std::to_string(record.size()) + " bytes where " +
                            std::to_string(sizeof(T)) + " were expected");
  }
  T value{};
  std::memcpy(&value, record.data(), sizeof(T));
  return value;
}

EventHead head_of(const strata_event_head& head) {
  return {
      .process = head.process, .time_ns = head.time_ns, .pid = head.pid, .own_pid = head.own_pid};
}

// Up to the first NUL, or all of it if there is none.
template <size_t N>
std::string text_of(const char (&field)[N]) {
  return {field, ::strnlen(field, N)};
}

std::vector<std::string> split_arguments(std::string_view area) {
  std::vector<std::string> arguments;
  while (!area.empty()) {
    const auto end = std::min(area.find('\0'), area.size());
    arguments.emplace_back(area.substr(0, end));
    area.remove_prefix(std::min(end + 1, area.size()));
  }
  return arguments;
}

Result<Event> decode_birth(std::span<const std::byte> record, Birth kind) {
  STRATA_TRY(const auto raw, record_as<strata_task_event>(record));
  return Born{
      .head = head_of(raw.head), .kind = kind, .parent = raw.parent, .comm = text_of(raw.comm)};
}

Result<Event> decode_exec(std::span<const std::byte> record) {
  STRATA_TRY(const auto raw, record_as<strata_exec_event>(record));
  const auto kept = std::min<size_t>(raw.arguments_kept, sizeof(raw.arguments));
  return Executed{.head = head_of(raw.head),
                  .comm = text_of(raw.comm),
                  .path = text_of(raw.path),
                  .arguments = split_arguments({raw.arguments, kept}),
                  .arguments_cut = raw.arguments_size > kept};
}

Result<Event> decode_exit(std::span<const std::byte> record) {
  STRATA_TRY(const auto raw, record_as<strata_exit_event>(record));
  const int status = WIFSIGNALED(raw.status) ? 128 + WTERMSIG(raw.status) : WEXITSTATUS(raw.status);
  return Exited{.head = head_of(raw.head), .status = status, .comm = text_of(raw.comm)};
}

Result<Event> decode_call(std::span<const std::byte> record) {
  STRATA_TRY(const auto raw, record_as<strata_call_event>(record));
  return Called{.head = head_of(raw.head),
                .duration_ns = raw.duration_ns,
                .number = raw.number,
                .result = raw.unfinished != 0 ? std::nullopt : std::optional<int64_t>(raw.result)};
}

}  // namespace

Result<Event> decode_event(std::span<const std::byte> record) {
  STRATA_TRY(const auto head, record_as<strata_event_head>(record));
  switch (head.kind) {
    case STRATA_EVENT_STARTED:
      return decode_birth(record, Birth::kCommand);
    case STRATA_EVENT_FORKED:
      return decode_birth(record, Birth::kProcess);
    case STRATA_EVENT_THREAD:
      return decode_birth(record, Birth::kThread);
    case STRATA_EVENT_EXECED:
      return decode_exec(record);
    case STRATA_EVENT_EXITED:
      return decode_exit(record);
    case STRATA_EVENT_CALLED:
      return decode_call(record);
    default:
      return fail(EPROTO, "event of the unknown kind " + std::to_string(head.kind));
  }
}

}  // namespace strata::probes
