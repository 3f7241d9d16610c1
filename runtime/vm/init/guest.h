// The guest's init: what the parts of this tiny program give each other. It is process 1 of the
// guest, linked statically, without exceptions and without freeing what it allocates: it all
// lives as long as the guest.
//
// Thread rule: one thread.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <initializer_list>
#include <string_view>

#include "runtime/vm/protocol.h"

namespace strata::vm::guest {

// Ends the guest at once.
[[noreturn]] void power_off();

// Says why the command can't be run (the parts joined; with `error`, an errno, its text follows)
// and ends the guest. `status` is what docker gives: 125 for a failure of ours, 126 and 127 for a
// command that can't be executed or isn't there.
inline constexpr int kOurFailure = 125;
inline constexpr int kCannotExecute = 126;
inline constexpr int kNotFound = 127;
[[noreturn]] void fail(int status, std::initializer_list<std::string_view> what, int error = 0);

// memory.cc: zeroed memory that is never given back; too little of it ends the guest.
[[nodiscard]] void* allocate(size_t size);
// The text and a NUL.
[[nodiscard]] char* copy_string(std::string_view text);

// channel.cc: the port to the host.

// Waits for the port to appear. Before that nobody hears a fail().
void open_channel();
[[nodiscard]] int channel_fd();
void send_frame(FrameType type, std::string_view payload);
// Reads exactly `size` bytes; a channel that ends first is a host that has gone: powers off.
void receive(void* buffer, size_t size);
[[nodiscard]] FrameHeader receive_header();

// modules.cc

// Loads the kernel modules named in `list`, one a line, in that order, from /modules.
void load_modules(const char* list);

// mounts.cc

// /dev, with standard streams on /dev/null.
void mount_devices();
// The image's disk, with a tmpfs above it that takes what the guest writes, becomes the root.
void mount_root();

// config.cc: what the host wants to be run. Strings end with NUL and live on.
struct Config {
  char** arguments = nullptr;  // null-terminated, as execve(2) wants them; empty: run nothing
  char** environment = nullptr;
  const char* directory = "/";
  std::string_view user;
  std::string_view hostname;
};
[[nodiscard]] Config receive_config();

// user.cc: numbers for "name", "name:group", "1000:1000" … by the image's /etc/passwd and
// /etc/group, with docker's rules.
struct User {
  uid_t uid = 0;
  gid_t gid = 0;
  gid_t groups[64];
  size_t group_count = 0;
  const char* home = "/";
};
[[nodiscard]] User resolve_user(std::string_view user);

// command.cc: runs the command to its end, relays its streams, sends kStarted, output and kExit.
void run_command(const Config& config);

// The content of a file, followed by a NUL; data() is null where there is none.
[[nodiscard]] std::string_view read_whole_file(const char* path);

}  // namespace strata::vm::guest
