// What host and guest say to each other over the one virtio-serial port that joins them: frames of
// a fixed header and a payload, little-endian (both sides are x86).
//
//   guest                          host
//   kReady      ------------------>           init is up: the guest has booted
//               <------------------ kConfig   what to run (records, see below)
//   kStarted    ------------------>           execve succeeded
//   kStdout/err ------------------>           the command's output, as it comes
//               <------------------ kStdin    its input; an empty frame is the end
//   kExit       ------------------>           u32: its exit status; the guest is about to power off
//   kFailed     ------------------>           instead: u32 status as docker gives it, then a
//   sentence
//
// The exit status comes after all output because both use one channel. kReady is sent first, and
// unasked, so that a host can tell a guest that boots from one that doesn't.
//
// Included by the guest's init, which has neither exceptions nor a standard library to spare: no
// allocation here but in encode_record().
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace strata::vm {

enum class FrameType : uint32_t {
  kReady = 1,
  kStarted,
  kStdout,
  kStderr,
  kExit,
  kFailed,
  kConfig,
  kStdin,
};

struct FrameHeader {
  FrameType type;
  uint32_t size;  // bytes of payload
};
static_assert(sizeof(FrameHeader) == 8);

// Payloads of streams; a configuration may be longer: execve(2) takes 2 MiB of arguments and
// environment with the usual stack limit.
inline constexpr uint32_t kMaxChunk = 32 << 10;
inline constexpr uint32_t kMaxConfig = 4 << 20;

// The guest ends itself by writing to QEMU's isa-debug-exit device, which is far quicker than a
// shutdown. QEMU then exits with (value << 1) | 1.
inline constexpr uint16_t kDebugExitPort = 0xf4;
inline constexpr uint8_t kDebugExitValue = 1;
inline constexpr int kDebugExitStatus = (kDebugExitValue << 1) | 1;

// A configuration is a sequence of records {u32 tag, u32 size, bytes}. Bytes are taken as they are:
// arguments may hold anything but NUL. kArgument and kVariable repeat, in order. Without a
// kArgument the guest ends as soon as it is up, with status 0.
enum class RecordTag : uint32_t {
  kArgument = 1,
  kVariable,  // "NAME=value"
  kDirectory,
  kUser,
  kHostname,
};

struct Record {
  RecordTag tag;
  std::string_view value;
};

inline void encode_record(std::string& config, RecordTag tag, std::string_view value) {
  const auto put = [&](uint32_t number) {
    config.append(reinterpret_cast<const char*>(&number), sizeof number);
  };
  put(static_cast<uint32_t>(tag));
  put(static_cast<uint32_t>(value.size()));
  config.append(value);
}

// Takes the first record off `config`; nullopt at the end or where the rest makes no sense
// (`config` is then not empty).
inline std::optional<Record> decode_record(std::string_view& config) {
  uint32_t head[2];
  if (config.size() < sizeof head) return std::nullopt;
  std::memcpy(head, config.data(), sizeof head);
  if (head[1] > config.size() - sizeof head) return std::nullopt;
  const Record record{static_cast<RecordTag>(head[0]), config.substr(sizeof head, head[1])};
  config.remove_prefix(sizeof head + head[1]);
  return record;
}

}  // namespace strata::vm
