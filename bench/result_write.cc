// Document to JSON text. The layout is for people and for diffs: one sample a line.

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "bench/result.h"
#include "bench/result_fields.h"
#include "unionfs/base/json.h"

namespace strata::bench {
namespace {

template <class T>
OrderedJson encode(const T& value);

class Writer {
 public:
  template <class T>
  void must(const char* name, const T& value) {
    json_[name] = encode(value);
  }
  template <class T>
  void may(const char* name, const T& value) {
    if (value != T{}) must(name, value);
  }
  OrderedJson take() { return std::move(json_); }

 private:
  OrderedJson json_ = OrderedJson::object();
};

OrderedJson encode_value(Availability value) {
  switch (value) {
    case Availability::kRan:
      return "ran";
    case Availability::kSkipped:
      return "skipped";
    case Availability::kFailed:
      break;
  }
  return "failed";
}

// Whole numbers are written as such: "4185023", not "4185023.0".
OrderedJson encode_value(std::same_as<double> auto value) {
  constexpr double kExact = 9007199254740992.0;  // 2^53
  if (std::trunc(value) == value && std::abs(value) < kExact) return static_cast<int64_t>(value);
  return value;
}

OrderedJson encode_value(const std::map<std::string, double>& values) {
  OrderedJson json = OrderedJson::object();
  for (const auto& [name, value] : values)
    if (std::isfinite(value)) json[name] = encode_value(value);  // JSON has no other numbers
  return json;
}

template <class T>
OrderedJson encode_value(const std::optional<T>& value) {
  return encode(*value);  // Writer::may() leaves the empty ones out
}

template <class T>
OrderedJson encode_value(const std::vector<T>& values) {
  OrderedJson json = OrderedJson::array();
  for (const auto& value : values) json.push_back(encode(value));
  return json;
}

template <class T>
OrderedJson encode(const T& value) {
  if constexpr (requires(Writer & writer) { describe(writer, value); }) {
    Writer writer;
    describe(writer, value);
    return writer.take();
  } else if constexpr (requires { encode_value(value); }) {
    return encode_value(value);
  } else {
    return value;
  }
}

std::string compact(const OrderedJson& json) {
  // What isn't UTF-8 (a process's name may be anything) is replaced, not refused.
  return json.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

// Lists of small records: one a line.
bool is_records(std::string_view name) {
  constexpr std::array kNames{"samples", "processes", "events", "costs", "setup", "skipped"};
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

void print(std::string& out, const OrderedJson& json, std::string_view name, size_t indent) {
  const bool expand_array =
      json.is_array() && !json.empty() && (json.front().is_structured() || is_records(name));
  const bool expand = expand_array || (json.is_object() && !json.empty());
  if (!expand) {
    out += compact(json);
    return;
  }
  const std::string margin = "\n" + std::string(indent + 2, ' ');
  out += json.is_array() ? '[' : '{';
  bool first = true;
  for (const auto& [key, value] : json.items()) {
    out += std::exchange(first, false) ? margin : "," + margin;
    if (json.is_object()) out += compact(key) + ": ";
    if (json.is_array() && is_records(name))
      out += compact(value);
    else
      print(out, value, json.is_object() ? std::string_view(key) : name, indent + 2);
  }
  out += "\n" + std::string(indent, ' ');
  out += json.is_array() ? ']' : '}';
}

}  // namespace

std::string to_json(const Document& document) {
  std::string text;
  print(text, encode(document), "", 0);
  text += '\n';
  return text;
}

}  // namespace strata::bench
