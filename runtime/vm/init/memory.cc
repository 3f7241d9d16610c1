#include <sys/mman.h>

#include <cstring>

#include "runtime/vm/init/guest.h"

namespace strata::vm::guest {

void* allocate(size_t size) {
  static char* free_space = nullptr;
  static size_t left = 0;
  constexpr size_t kBlock = 1 << 20;
  constexpr size_t kAlignment = 16;
  size = (size + kAlignment - 1) / kAlignment * kAlignment;
  if (size > left) {
    left = size > kBlock ? size : kBlock;
    void* block = ::mmap(nullptr, left, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (block == MAP_FAILED) fail(kOurFailure, {"out of memory"});
    free_space = static_cast<char*>(block);
  }
  void* memory = free_space;
  free_space += size;
  left -= size;
  return memory;
}

char* copy_string(std::string_view text) {
  auto* copy = static_cast<char*>(allocate(text.size() + 1));
  std::memcpy(copy, text.data(), text.size());
  copy[text.size()] = '\0';
  return copy;
}

}  // namespace strata::vm::guest
