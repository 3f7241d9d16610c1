// Environment variables: lists of "NAME=value". Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "unionfs/base/result.h"

namespace strata::container {

// Sets "NAME=value", or takes NAME away.
void set_variable(std::vector<std::string>& env, const std::string& variable);

// All of them in turn. EINVAL for one without a name.
[[nodiscard]] Result<void> set_variables(std::vector<std::string>& env,
                                         const std::vector<std::string>& variables);

// The lines of an environment file, as docker reads it: "NAME=value", "NAME" (to be taken from our
// environment), empty lines and lines that start with '#' passed over.
[[nodiscard]] Result<std::vector<std::string>> parse_env_file(std::string_view text,
                                                              std::string_view name);

}  // namespace strata::container
