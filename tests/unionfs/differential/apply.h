// An operation carried out: by the engine, or by the kernel at the root directory of this thread.
//
// What is given back is the errno (0: none) and, for calls that read, what they read.
#pragma once

#include <string>

#include "tests/unionfs/differential/operation.h"
#include "unionfs/union.h"

namespace strata::testing {

struct Outcome {
  int code = 0;
  std::string value;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

[[nodiscard]] Outcome apply_to_engine(unionfs::Union& merged, const Operation& operation);
[[nodiscard]] Outcome apply_to_kernel(const Operation& operation);

}  // namespace strata::testing
