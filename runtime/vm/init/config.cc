#include "runtime/vm/init/guest.h"

namespace strata::vm::guest {
namespace {

// A null-terminated list with room for all records of a configuration.
class List {
 public:
  explicit List(size_t most) : items_(static_cast<char**>(allocate((most + 1) * sizeof(char*)))) {
    items_[0] = nullptr;
  }
  void add(std::string_view text) {
    items_[count_++] = copy_string(text);
    items_[count_] = nullptr;
  }
  [[nodiscard]] char** items() const { return items_; }

 private:
  char** items_;
  size_t count_ = 0;
};

}  // namespace

Config receive_config() {
  const FrameHeader header = receive_header();
  if (header.type != FrameType::kConfig || header.size > kMaxConfig)
    fail(kOurFailure, {"the host speaks another protocol than this guest"});
  auto* bytes = static_cast<char*>(allocate(header.size));
  receive(bytes, header.size);

  std::string_view rest(bytes, header.size);
  const size_t most = header.size / (2 * sizeof(uint32_t));
  List arguments(most);
  List environment(most);
  Config config;
  while (const auto record = decode_record(rest)) {
    switch (record->tag) {
      case RecordTag::kArgument:
        arguments.add(record->value);
        break;
      case RecordTag::kVariable:
        environment.add(record->value);
        break;
      case RecordTag::kDirectory:
        config.directory = copy_string(record->value);
        break;
      case RecordTag::kUser:
        config.user = record->value;
        break;
      case RecordTag::kHostname:
        config.hostname = record->value;
        break;
    }
  }
  if (!rest.empty()) fail(kOurFailure, {"the host's configuration is malformed"});
  config.arguments = arguments.items();
  config.environment = environment.items();
  return config;
}

}  // namespace strata::vm::guest
