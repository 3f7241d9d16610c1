// What a container is: fixed when it is created, whatever becomes of it later (state.h). The
// image's configuration and the user's options are merged into it (options.h), so that starting
// the container needs neither.
//
// Thread rule: plain values.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/oci/spec.h"
#include "unionfs/base/result.h"
#include "unionfs/presenter.h"

namespace strata::container {

struct Volume {
  std::string source;       // absolute path on the host
  std::string destination;  // absolute path in the container
  bool read_only = false;

  bool operator==(const Volume&) const = default;
};

enum class Network {
  kNone,  // a network namespace of its own, with lo up
  kHost,  // the host's
};

struct Record {
  std::string id;                   // 64 hexadecimal digits
  std::string name;                 // unique in the store
  std::string image_id;             // "sha256:…"
  std::string image_name;           // as the user called it
  std::string created;              // RFC 3339
  std::vector<std::string> layers;  // diff IDs, top first
  std::vector<std::string> args;    // the whole command
  std::vector<std::string> env;     // without HOME, which the user's entry in /etc/passwd gives
  std::string cwd = "/";
  std::string user;  // "name|uid[:group|gid]" as the image or the user says; empty: root
  std::string hostname;
  std::string stop_signal;  // empty: SIGTERM
  Network network = Network::kNone;
  std::vector<Volume> volumes;
  oci::Resources limits;  // only what the options can say
  unionfs::PresenterKind presenter = unionfs::PresenterKind::kOverlay;
  std::string presenter_reason;  // a sentence; empty: it was asked for
  bool terminal = false;         // -t
  bool open_stdin = false;       // -i
  bool auto_remove = false;      // --rm
  bool read_only = false;        // the root file system
};

[[nodiscard]] std::string to_json(const Record& record);
[[nodiscard]] Result<Record> record_from_json(std::string_view text, std::string_view name);

[[nodiscard]] std::string_view network_name(Network network);
// EINVAL for an unknown one.
[[nodiscard]] Result<Network> parse_network(std::string_view name);

}  // namespace strata::container
