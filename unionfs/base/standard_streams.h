// A program's standard streams, from its first act to its last.
//
// Thread rule: main thread only.
#pragma once

#include "unionfs/base/result.h"

namespace strata {

// Opens /dev/null in place of every descriptor among 0, 1 and 2 that is closed (as "<&-" leaves
// it): reading gives the end, what is written is dropped. Called first in main(): otherwise the
// next file that is opened gets the number, and is taken for the stream by whoever writes to it.
void open_standard_streams();

// Writes out what is buffered for standard output. An Error if that, or any write before, failed:
// a program that prints calls it at its end, lest output be lost in silence.
[[nodiscard]] Result<void> flush_standard_output();

}  // namespace strata
