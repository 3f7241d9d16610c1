// What there is below a root, and what is inside a container.
//
// Thread rule: any thread.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "runtime/bundle/container.h"
#include "unionfs/base/result.h"

namespace strata::bundle {

struct Listed {
  Record record;
  Status status;
};

// All that can be read, by ID. What vanishes meanwhile is passed over.
[[nodiscard]] Result<std::vector<Listed>> list(const std::filesystem::path& root);

// As `runc list` prints them: a table, or JSON ("null" if there are none).
[[nodiscard]] std::string list_table(const std::vector<Listed>& containers);
[[nodiscard]] std::string list_json(const std::vector<Listed>& containers);

}  // namespace strata::bundle
