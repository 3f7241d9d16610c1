// From an image and what the user asks for to a container that can be started.
//
// Thread rule: make_record() and the parsers are pure; create() may be called by several processes
// at once.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/container/container.h"
#include "runtime/container/record.h"
#include "runtime/image/image.h"
#include "runtime/image/store.h"
#include "unionfs/base/file.h"
#include "unionfs/base/result.h"

namespace strata::container {

struct CreateOptions {
  std::string name;                       // empty: one is made up
  std::vector<std::string> command;       // takes the place of the image's CMD
  std::optional<std::string> entrypoint;  // takes the place of ENTRYPOINT and CMD; may be empty
  std::vector<std::string> env;  // "NAME=value", or "NAME": not set, whatever the image says
  std::optional<std::string> working_dir, user, hostname, stop_signal;
  Network network = Network::kNone;
  std::vector<Volume> volumes;
  oci::Resources limits;
  std::optional<unionfs::PresenterKind> presenter;  // nullopt: what suits the image and the kernel
  bool terminal = false;
  bool open_stdin = false;
  bool auto_remove = false;
  bool read_only = false;
};

// "SRC:DST[:ro|:rw]". A relative SRC counts from `directory`. EINVAL says what is wrong.
[[nodiscard]] Result<Volume> parse_volume(std::string_view text, const std::string& directory);

// "512m", "2g", "1048576": bytes, with units of 1024.
[[nodiscard]] Result<int64_t> parse_memory(std::string_view text);

// "1.5" CPUs as quota and period.
[[nodiscard]] Result<void> parse_cpus(std::string_view text, oci::Resources& limits);

// Everything of the record that follows from image and options; name may still be empty. EINVAL if
// there is no command to run or an option makes no sense. As docker defines it:
//   command      entrypoint + (command, or else the image's CMD); an --entrypoint drops that CMD
//   environment  PATH, HOSTNAME, TERM (with a terminal); over it the image's, over it the user's
[[nodiscard]] Result<Record> make_record(const image::Image& image, std::string_view image_name,
                                         const CreateOptions& options, std::string id);

// A container that nobody else can touch yet.
struct Created {
  Container container;
  ContainerLock lock;
};

// ENOENT: no such image. EEXIST: the name is taken. Nothing is recorded yet: the caller does it
// (Container::save()), or starts the container, which records how that went.
[[nodiscard]] Result<Created> create(const image::Store& store, std::string_view image,
                                     const CreateOptions& options);

}  // namespace strata::container
