#include "runtime/container/environment.h"

#include <algorithm>

namespace strata::container {
namespace {

std::string_view name_of(std::string_view variable) {
  return variable.substr(0, variable.find('='));
}

}  // namespace

void set_variable(std::vector<std::string>& env, const std::string& variable) {
  const auto has_name = [&](const std::string& v) { return name_of(v) == name_of(variable); };
  const auto it = std::find_if(env.begin(), env.end(), has_name);
  if (variable.find('=') == std::string::npos) {
    if (it != env.end()) env.erase(it);
  } else if (it != env.end()) {
    *it = variable;
  } else {
    env.push_back(variable);
  }
}

Result<void> set_variables(std::vector<std::string>& env,
                           const std::vector<std::string>& variables) {
  for (const auto& variable : variables) {
    if (name_of(variable).empty())
      return fail(EINVAL, "'" + variable + "' is not an environment variable: NAME=value");
    set_variable(env, variable);
  }
  return {};
}

Result<std::vector<std::string>> parse_env_file(std::string_view text, std::string_view name) {
  std::vector<std::string> env;
  size_t number = 0;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    ++number;
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.front() == '#') continue;
    const auto variable = name_of(line);
    if (variable.empty() || variable.find_first_of(" \t") != std::string_view::npos)
      return fail(EINVAL, std::string(name) + ", line " + std::to_string(number) + ": '" +
                              std::string(variable) + "' can't be the name of a variable");
    env.emplace_back(line);
  }
  return env;
}

}  // namespace strata::container
