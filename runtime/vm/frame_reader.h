// Cuts the byte stream from a guest into frames (protocol.h). The guest is not trusted: a frame
// that is too long or of a kind that only a host sends is an error.
//
// Thread rule: one owner.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "runtime/vm/protocol.h"
#include "unionfs/base/result.h"

namespace strata::vm {

struct Frame {
  FrameType type;
  std::string_view payload;  // until the reader's next call
};

class FrameReader {
 public:
  void append(std::string_view bytes);

  // The next whole frame; nullopt: more bytes are needed. EPROTO: not our protocol.
  [[nodiscard]] Result<std::optional<Frame>> next();

 private:
  std::string buffer_;
  size_t used_ = 0;
};

// The u32 that the payload of kExit and kFailed starts with; nullopt if it is too short.
[[nodiscard]] std::optional<uint32_t> leading_number(std::string_view payload);

// A frame's bytes.
[[nodiscard]] std::string encode_frame(FrameType type, std::string_view payload);

}  // namespace strata::vm
