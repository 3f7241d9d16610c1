#include <fcntl.h>
#include <poll.h>
#include <sys/io.h>
#include <sys/reboot.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "runtime/vm/init/guest.h"

namespace strata::vm::guest {
namespace {

int channel = -1;

void write_all(const char* data, size_t size) {
  while (size > 0) {
    const ssize_t n = ::write(channel, data, size);
    if (n < 0) {
      if (errno == EINTR) continue;
      power_off();  // the host has gone
    }
    data += n;
    size -= static_cast<size_t>(n);
  }
}

}  // namespace

void power_off() {
  if (::ioperm(kDebugExitPort, 1, 1) == 0) outb(kDebugExitValue, kDebugExitPort);
  // Only where the device isn't there.
  (void)::reboot(RB_AUTOBOOT);
  for (;;) ::pause();
}

void fail(int status, std::initializer_list<std::string_view> what, int error) {
  char payload[1024];
  const auto number = static_cast<uint32_t>(status);
  std::memcpy(payload, &number, sizeof number);
  size_t used = sizeof number;
  const auto append = [&](std::string_view text) {
    const size_t n = text.size() < sizeof payload - used ? text.size() : sizeof payload - used;
    std::memcpy(payload + used, text.data(), n);
    used += n;
  };
  for (const auto part : what) append(part);
  if (error != 0) {
    append(": ");
    append(::strerror(error));
  }
  if (channel >= 0) send_frame(FrameType::kFailed, {payload, used});
  power_off();
}

void open_channel() {
  // The port is called after its device's place on the virtio bus, which differs by machine. It
  // appears in /dev a moment after its driver was loaded.
  constexpr int kMaxDevices = 8;
  char path[] = "/dev/vport0p1";
  char* const digit = std::strchr(path, '0');
  for (;;) {
    for (int i = 0; i < kMaxDevices; ++i) {
      *digit = static_cast<char>('0' + i);
      channel = ::open(path, O_RDWR | O_CLOEXEC);
      if (channel >= 0) return;
    }
    const timespec moment{0, 100'000};
    (void)::nanosleep(&moment, nullptr);
  }
}

int channel_fd() {
  return channel;
}

void send_frame(FrameType type, std::string_view payload) {
  // Header and payload in one write: each write is a round trip through the device.
  static char frame[sizeof(FrameHeader) + kMaxChunk];
  const FrameHeader header{type, static_cast<uint32_t>(payload.size())};
  std::memcpy(frame, &header, sizeof header);
  std::memcpy(frame + sizeof header, payload.data(), payload.size());
  write_all(frame, sizeof header + payload.size());
}

void receive(void* buffer, size_t size) {
  auto* to = static_cast<char*>(buffer);
  while (size > 0) {
    const ssize_t n = ::read(channel, to, size);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) power_off();
    to += n;
    size -= static_cast<size_t>(n);
  }
}

FrameHeader receive_header() {
  FrameHeader header{};
  receive(&header, sizeof header);
  return header;
}

}  // namespace strata::vm::guest
