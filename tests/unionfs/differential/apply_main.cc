// union-apply LOWER UPPER WORK INDEX CALL PATH OTHER NUMBER: one operation on the engine, for
// fault_test.cc, which makes its system calls fail. Prints the errno; ends with 1 if it isn't 0.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "tests/unionfs/differential/apply.h"
#include "unionfs/index/cache.h"

int main(int argc, char** argv) {
  using namespace strata;
  const auto call = argc == 9 ? testing::parse_call(argv[5]) : std::nullopt;
  (void)::getppid();  // tells in a trace where main() begins
  if (!call) {
    std::fprintf(stderr, "union-apply LOWER UPPER WORK INDEX CALL PATH OTHER NUMBER\n");
    return 2;
  }
  const auto end = [](int code) {
    std::printf("%d\n", code);
    return code == 0 ? 0 : 1;
  };
  auto stack = unionfs::LayerStack::open({argv[1]});
  if (!stack) return end(stack.error().code);
  auto index = unionfs::index::open_index(*stack, argv[4]);
  if (!index) return end(index.error().code);
  auto merged = unionfs::Union::open(*std::move(stack), std::move(index->index),
                                     unionfs::Upper{argv[2], argv[3]}, {.redirect_dir = true});
  if (!merged) return end(merged.error().code);
  const testing::Operation operation{*call, argv[6], argv[7],
                                     static_cast<unsigned>(std::atol(argv[8]))};
  return end(testing::apply_to_engine(*merged, operation).code);
}
