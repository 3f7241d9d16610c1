#include "runtime/vm/guest_config.h"

#include <algorithm>
#include <cstdlib>

#include "runtime/vm/protocol.h"

namespace strata::vm {
namespace {

constexpr const char* kDefaultPath =
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

void set_variable(std::vector<std::string>& env, const std::string& variable) {
  const std::string name = variable.substr(0, variable.find('=') + 1);
  const auto same = std::find_if(env.begin(), env.end(),
                                 [&](const auto& entry) { return entry.starts_with(name); });
  if (same != env.end()) {
    *same = variable;
  } else {
    env.push_back(variable);
  }
}

Result<void> add(std::string& config, RecordTag tag, const std::string& value) {
  if (value.find('\0') != std::string::npos)
    return fail(EINVAL, "'" + value.substr(0, value.find('\0')) + "…' holds a NUL byte");
  encode_record(config, tag, value);
  return {};
}

}  // namespace

Result<std::vector<std::string>> merge_command(const image::Config& config,
                                               const VmRequest& request) {
  std::vector<std::string> command;
  if (!request.entrypoint) {
    command = config.entrypoint;
  } else if (!request.entrypoint->empty()) {
    command = {*request.entrypoint};
  }
  const bool use_cmd = request.command.empty() && !request.entrypoint;
  const auto& rest = use_cmd ? config.cmd : request.command;
  command.insert(command.end(), rest.begin(), rest.end());
  if (!command.empty() && command.front().empty())
    return fail(EINVAL, "the command's name is empty");
  return command;
}

Result<std::vector<std::string>> merge_environment(const image::Config& config,
                                                   const VmRequest& request) {
  std::vector<std::string> env{kDefaultPath, std::string("HOSTNAME=") + kGuestHostname};
  for (const auto& variable : config.env)
    if (variable.find('=') != std::string::npos) set_variable(env, variable);
  for (const auto& variable : request.env) {
    if (variable.empty() || variable.front() == '=')
      return fail(EINVAL, "environment variable '" + variable + "' has no name");
    if (variable.find('=') != std::string::npos) {
      set_variable(env, variable);
    } else if (const char* ours = std::getenv(variable.c_str())) {
      set_variable(env, variable + "=" + ours);
    } else {
      // docker: a name that isn't set here is taken away there
      std::erase_if(env, [&](const auto& entry) { return entry.starts_with(variable + "="); });
    }
  }
  return env;
}

Result<std::string> make_guest_config(const image::Config& config, const VmRequest& request) {
  STRATA_TRY(const auto command, merge_command(config, request));
  STRATA_TRY(const auto env, merge_environment(config, request));
  std::string directory = request.working_dir.empty() ? config.working_dir : request.working_dir;
  if (directory.empty()) directory = "/";
  if (directory.front() != '/')
    return fail(EINVAL, "working directory '" + directory + "' is not an absolute path");

  std::string encoded;
  for (const auto& argument : command) STRATA_CHECK(add(encoded, RecordTag::kArgument, argument));
  for (const auto& variable : env) STRATA_CHECK(add(encoded, RecordTag::kVariable, variable));
  STRATA_CHECK(add(encoded, RecordTag::kDirectory, directory));
  STRATA_CHECK(add(encoded, RecordTag::kUser, request.user.empty() ? config.user : request.user));
  STRATA_CHECK(add(encoded, RecordTag::kHostname, kGuestHostname));
  return encoded;
}

}  // namespace strata::vm
