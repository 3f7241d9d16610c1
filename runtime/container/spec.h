// From a container's record to the OCI runtime-spec configuration that it is started with, and the
// files of its own that are mounted into its /etc.
//
// Thread rule: functions are independent.
#pragma once

#include <string>
#include <vector>

#include "runtime/container/files.h"
#include "runtime/container/record.h"
#include "runtime/container/user.h"
#include "runtime/oci/spec.h"
#include "unionfs/base/result.h"

namespace strata::container {

[[nodiscard]] oci::Spec make_spec(const Record& record, const ResolvedUser& user,
                                  const Files& files);

// What the user's own environment adds: HOME, unless it is set.
[[nodiscard]] std::vector<std::string> with_home(std::vector<std::string> env,
                                                 const std::string& home);

// config.json.
[[nodiscard]] Result<void> write_config(const oci::Spec& spec, const Files& files);

// hosts and hostname, with names for the loopback interface; with the host's network hosts and
// resolv.conf as the host has them.
[[nodiscard]] Result<void> write_network_files(const Record& record, const Files& files);

}  // namespace strata::container
