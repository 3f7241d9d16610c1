#include "runtime/vm/vm.h"

namespace strata::vm {

Result<Command> command_for(const image::Image& image, const std::vector<std::string>& args) {
  const auto& config = image.config;
  Command command;
  command.args = config.entrypoint;
  const auto& rest = args.empty() ? config.cmd : args;
  command.args.insert(command.args.end(), rest.begin(), rest.end());
  if (command.args.empty())
    return fail(EINVAL, "the image names no command to run; give one after '--'");
  command.env = config.env;
  const auto sets = [&](std::string_view name) {
    for (const auto& entry : command.env)
      if (entry.starts_with(name)) return true;
    return false;
  };
  if (!sets("PATH="))
    command.env.emplace_back("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
  if (!sets("HOME=")) command.env.emplace_back("HOME=/");
  command.working_dir = config.working_dir;
  command.user = config.user;
  return command;
}

}  // namespace strata::vm
