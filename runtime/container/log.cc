#include "runtime/container/log.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <utility>

#include "runtime/container/time.h"

namespace strata::container {
namespace {

// Docker's, too: longer lines become several records.
constexpr size_t kMaxText = 16384;
constexpr std::string_view kPrefix = R"({"log":")";
constexpr std::string_view kStream = R"(","stream":")";
constexpr std::string_view kTime = R"(","time":")";
constexpr std::string_view kSuffix = R"("})";
constexpr uint32_t kFirstEscapedByte = 0xDC80;
constexpr uint32_t kLastEscapedByte = 0xDCFF;

std::string_view stream_name(Stream stream) {
  return stream == Stream::kOut ? "stdout" : "stderr";
}

uint8_t byte_at(std::string_view text, size_t i) {
  return static_cast<uint8_t>(text[i]);
}

struct Sequence {
  size_t length = 1;
  bool valid = false;
  bool cut = false;  // the text ends before the character does
};

// The UTF-8 sequence at the start of `text` (RFC 3629, section 4: the first continuation byte's
// range keeps overlong forms, surrogates and what lies beyond U+10FFFF out).
Sequence sequence_at(std::string_view text) {
  const uint8_t first = byte_at(text, 0);
  size_t length = 0;
  uint8_t low = 0x80;
  uint8_t high = 0xBF;
  if (first < 0x80) return {1, true, false};
  if (first >= 0xC2 && first <= 0xDF) {
    length = 2;
  } else if (first >= 0xE0 && first <= 0xEF) {
    length = 3;
    if (first == 0xE0) low = 0xA0;
    if (first == 0xED) high = 0x9F;
  } else if (first >= 0xF0 && first <= 0xF4) {
    length = 4;
    if (first == 0xF0) low = 0x90;
    if (first == 0xF4) high = 0x8F;
  } else {
    return {};
  }
  for (size_t i = 1; i < length; ++i) {
    if (i == text.size()) return {i, false, true};
    if (byte_at(text, i) < low || byte_at(text, i) > high) return {};
    low = 0x80;
    high = 0xBF;
  }
  return {length, true, false};
}

void append_unicode_escape(std::string& out, uint32_t value) {
  constexpr std::string_view kHex = "0123456789abcdef";
  out += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) out += kHex[(value >> shift) & 0xFU];
}

bool is_plain(char c) {
  return c >= 0x20 && c < 0x7F && c != '"' && c != '\\';
}

void append_escaped(std::string& out, std::string_view text) {
  while (!text.empty()) {
    const auto plain = std::find_if_not(text.begin(), text.end(), is_plain) - text.begin();
    out.append(text.substr(0, static_cast<size_t>(plain)));
    text.remove_prefix(static_cast<size_t>(plain));
    if (text.empty()) return;
    const char c = text.front();
    const Sequence sequence = sequence_at(text);
    if (!sequence.valid) {
      append_unicode_escape(out, kFirstEscapedByte - 0x80 + byte_at(text, 0));
      text.remove_prefix(1);
      continue;
    }
    if (c == '\n') {
      out += "\\n";
    } else if (c == '"' || c == '\\') {
      out.append(1, '\\').append(1, c);
    } else if (c >= 0 && (c < 0x20 || c == 0x7F)) {
      append_unicode_escape(out, byte_at(text, 0));
    } else {
      out.append(text.substr(0, sequence.length));
    }
    text.remove_prefix(sequence.length);
  }
}

void append_utf8(std::string& out, uint32_t value) {
  if (value < 0x80) {
    out += static_cast<char>(value);
  } else if (value < 0x800) {
    out += static_cast<char>(0xC0U | (value >> 6U));
    out += static_cast<char>(0x80U | (value & 0x3FU));
  } else {
    out += static_cast<char>(0xE0U | (value >> 12U));
    out += static_cast<char>(0x80U | ((value >> 6U) & 0x3FU));
    out += static_cast<char>(0x80U | (value & 0x3FU));
  }
}

// Decodes one escape at the start of `text` (which begins with a backslash) and removes it.
bool take_escape(std::string_view& text, std::string& out) {
  if (text.size() < 2) return false;
  const char kind = text[1];
  if (kind != 'u') {
    if (kind != 'n' && kind != '"' && kind != '\\') return false;
    out += kind == 'n' ? '\n' : kind;
    text.remove_prefix(2);
    return true;
  }
  constexpr size_t kLength = 6;
  constexpr int kHexadecimal = 16;
  if (text.size() < kLength) return false;
  uint32_t value = 0;
  const auto parsed = std::from_chars(text.data() + 2, text.data() + kLength, value, kHexadecimal);
  if (parsed.ptr != text.data() + kLength) return false;
  if (value >= kFirstEscapedByte && value <= kLastEscapedByte) {
    out += static_cast<char>(value & 0xFFU);
  } else {
    append_utf8(out, value);
  }
  text.remove_prefix(kLength);
  return true;
}

// Decodes up to the quotation mark that ends the string, and stops in front of it.
bool take_string(std::string_view& text, std::string& out) {
  for (;;) {
    const auto plain = text.find_first_of("\"\\");
    if (plain == std::string_view::npos) return false;
    out.append(text.substr(0, plain));
    text.remove_prefix(plain);
    if (text.front() == '"') return true;
    if (!take_escape(text, out)) return false;
  }
}

bool take(std::string_view& text, std::string_view expected) {
  if (!text.starts_with(expected)) return false;
  text.remove_prefix(expected.size());
  return true;
}

void append_record(std::string& out, Stream stream, std::string_view text, std::string_view time) {
  out.append(kPrefix);
  append_escaped(out, text);
  out.append(kStream).append(stream_name(stream)).append(kTime).append(time).append(kSuffix);
  out += '\n';
}

// The length of an unfinished character at the end of `bytes`.
size_t cut_length(std::string_view bytes) {
  constexpr size_t kMaxCut = 3;
  for (size_t n = 1; n <= std::min(kMaxCut, bytes.size()); ++n)
    if (sequence_at(bytes.substr(bytes.size() - n)).cut) return n;
  return 0;
}

// How much of `bytes` makes the next record: a line, or what fits, without cutting a character.
size_t record_length(std::string_view bytes) {
  const auto newline = bytes.substr(0, kMaxText).find('\n');
  if (newline != std::string_view::npos) return newline + 1;
  if (bytes.size() <= kMaxText) return bytes.size();
  return kMaxText - cut_length(bytes.substr(0, kMaxText));
}

}  // namespace

std::string format_record(Stream stream, std::string_view text, std::string_view time) {
  std::string line;
  append_record(line, stream, text, time);
  return line;
}

std::optional<LogRecord> parse_record(std::string_view line) {
  LogRecord record;
  if (!take(line, kPrefix) || !take_string(line, record.text) || !take(line, kStream))
    return std::nullopt;
  if (take(line, stream_name(Stream::kErr))) {
    record.stream = Stream::kErr;
  } else if (!take(line, stream_name(Stream::kOut))) {
    return std::nullopt;
  }
  if (!take(line, kTime) || !take_string(line, record.time) || line != kSuffix) return std::nullopt;
  return record;
}

std::string LogFormatter::format(Stream stream, std::string_view bytes, const timespec& time) {
  std::string& waiting = waiting_[static_cast<size_t>(stream)];
  std::string joined;
  if (!waiting.empty()) {
    joined = std::exchange(waiting, {}).append(bytes);
    bytes = joined;
  }
  const size_t cut = cut_length(bytes);
  waiting = bytes.substr(bytes.size() - cut);
  bytes.remove_suffix(cut);

  const std::string when = format_time(time);
  std::string lines;
  while (!bytes.empty()) {
    const size_t length = record_length(bytes);
    append_record(lines, stream, bytes.substr(0, length), when);
    bytes.remove_prefix(length);
  }
  return lines;
}

std::string LogFormatter::finish(const timespec& time) {
  std::string lines;
  for (const Stream stream : {Stream::kOut, Stream::kErr}) {
    const std::string rest = std::exchange(waiting_[static_cast<size_t>(stream)], {});
    if (!rest.empty()) append_record(lines, stream, rest, format_time(time));
  }
  return lines;
}

}  // namespace strata::container
