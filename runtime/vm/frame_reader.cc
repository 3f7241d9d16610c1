#include "runtime/vm/frame_reader.h"

namespace strata::vm {

void FrameReader::append(std::string_view bytes) {
  buffer_.erase(0, used_);
  used_ = 0;
  buffer_.append(bytes);
}

Result<std::optional<Frame>> FrameReader::next() {
  const std::string_view rest = std::string_view(buffer_).substr(used_);
  FrameHeader header{};
  if (rest.size() < sizeof header) return std::optional<Frame>();
  std::memcpy(&header, rest.data(), sizeof header);
  if (header.type < FrameType::kReady || header.type > FrameType::kFailed ||
      header.size > kMaxChunk)
    return fail(EPROTO, "the guest sent what is no message of ours");
  if (rest.size() - sizeof header < header.size) return std::optional<Frame>();
  used_ += sizeof header + header.size;
  return std::optional(Frame{header.type, rest.substr(sizeof header, header.size)});
}

std::optional<uint32_t> leading_number(std::string_view payload) {
  uint32_t number = 0;
  if (payload.size() < sizeof number) return std::nullopt;
  std::memcpy(&number, payload.data(), sizeof number);
  return number;
}

std::string encode_frame(FrameType type, std::string_view payload) {
  const FrameHeader header{type, static_cast<uint32_t>(payload.size())};
  std::string frame(reinterpret_cast<const char*>(&header), sizeof header);
  return frame.append(payload);
}

}  // namespace strata::vm
