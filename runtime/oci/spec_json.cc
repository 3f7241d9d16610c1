// config.json, written and read by one description of its members (spec_fields.h).

#include <algorithm>
#include <type_traits>

#include "runtime/oci/spec_fields.h"
#include "unionfs/base/json.h"

namespace strata::oci {
namespace {

// Leaves out what is empty or absent; numbers and what is set are always written.
class Writer {
 public:
  explicit Writer(OrderedJson& out) : out_(out) {}

  void field(const char* name, const std::string& value) {
    if (!value.empty()) out_[name] = value;
  }
  template <class T>
  requires std::is_arithmetic_v<T>
  void field(const char* name, T value) { out_[name] = value; }
  // Written only if it is set.
  void flag(const char* name, bool value) {
    if (value) out_[name] = true;
  }
  // Even if it is empty: without it the document would not be read again.
  template <class T>
  void required(const char* name, const T& value) {
    out_[name] = value;
  }
  template <class T>
  void field(const char* name, const std::optional<T>& value) {
    if (value) out_[name] = *value;
  }
  template <class T>
  void field(const char* name, const std::vector<T>& values) {
    if (!values.empty()) out_[name] = values;
  }
  void field(const char* name, const std::map<std::string, std::string>& values) {
    if (!values.empty()) out_[name] = values;
  }
  template <class Body>
  void object(const char* name, const Body& body) {
    OrderedJson child = OrderedJson::object();
    Writer writer(child);
    body(writer);
    if (!child.empty()) out_[name] = std::move(child);
  }
  template <class T>
  void optional(const char* name, std::optional<T>& value) {
    if (value) out_[name] = written(*value);
  }
  template <class T>
  void list(const char* name, std::vector<T>& elements) {
    for (T& element : elements) out_[name].push_back(written(element));
  }
  template <class T>
  void map(const char* name, std::map<std::string, T>& elements) {
    for (auto& [key, element] : elements) out_[name][key] = written(element);
  }
  void refused(const char*, const char*) {}

  template <class T>
  static OrderedJson written(T& value) {
    OrderedJson child = OrderedJson::object();
    Writer writer(child);
    fields(writer, value);
    return child;
  }

 private:
  OrderedJson& out_;
};

// Remembers the first fault of a document; everything after it is skipped. Members that nobody
// knows are no faults; they are listed if somebody wants to know.
class Faults {
 public:
  Faults(std::string_view document, std::vector<std::string>* unknown)
      : document_(document), unknown_(unknown) {}
  void add(const std::string& path, std::string_view fault) {
    if (!first_)
      first_ = Error{EINVAL, std::string(document_) + ": " + path + ": " + std::string(fault)};
  }
  [[nodiscard]] const std::optional<Error>& first() const { return first_; }
  [[nodiscard]] bool lists_unknown() const { return unknown_ != nullptr; }
  void add_unknown(std::string path) { unknown_->push_back(std::move(path)); }

 private:
  std::string_view document_;
  std::vector<std::string>* unknown_;
  std::optional<Error> first_;
};

bool read_value(const Json& json, bool& value) {
  if (!json.is_boolean()) return false;
  value = json.get<bool>();
  return true;
}

bool read_value(const Json& json, std::string& value) {
  if (!json.is_string()) return false;
  value = json.get<std::string>();
  // A NUL would cut the value short in every system call.
  return value.find('\0') == std::string::npos;
}

template <class T>
requires std::is_integral_v<T>
bool read_value(const Json& json, T& value) {
  const auto number = json_integer<T>(json);
  if (number) value = *number;
  return number.has_value();
}

template <class T>
bool read_value(const Json& json, std::optional<T>& value) {
  return read_value(json, value.emplace());
}

template <class T>
bool read_value(const Json& json, std::vector<T>& values) {
  if (!json.is_array()) return false;
  values.clear();
  for (const auto& element : json)
    if (!read_value(element, values.emplace_back())) return false;
  return true;
}

bool read_value(const Json& json, std::map<std::string, std::string>& values) {
  if (!json.is_object()) return false;
  values.clear();
  for (const auto& [key, element] : json.items())
    if (!read_value(element, values[key])) return false;
  return true;
}

// Reads the members that are asked for; its destructor lists those that nobody asked for.
class Reader {
 public:
  Reader(const Json& json, std::string path, Faults& faults)
      : json_(json), path_(std::move(path)), faults_(faults) {
    if (!json.is_object()) faults_.add(path_.empty() ? "document" : path_, "expected an object");
  }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  ~Reader() {
    if (!json_.is_object() || !faults_.lists_unknown()) return;
    for (const auto& [key, value] : json_.items())
      if (std::ranges::find(known_, key) == known_.end()) faults_.add_unknown(path_of(key));
  }

  template <class T>
  void field(const char* name, T& value) {
    const Json* member = find(name);
    if (member != nullptr && !read_value(*member, value))
      faults_.add(path_of(name), std::string("unexpected value ") + member->dump());
  }
  void flag(const char* name, bool& value) { field(name, value); }
  template <class T>
  void required(const char* name, T& value) {
    if (json_.is_object() && find(name) == nullptr)
      return faults_.add(path_of(name), "this member is required");
    field(name, value);
  }
  void refused(const char* name, const char* why) {
    const Json* member = find(name);
    if (member != nullptr && *member != Json("") && !(member->is_structured() && member->empty()))
      faults_.add(path_of(name), why);
  }
  template <class Body>
  void object(const char* name, const Body& body) {
    if (const Json* member = find(name)) {
      Reader reader(*member, path_of(name), faults_);
      body(reader);
    }
  }
  template <class T>
  void optional(const char* name, std::optional<T>& value) {
    if (const Json* member = find(name)) {
      Reader reader(*member, path_of(name), faults_);
      fields(reader, value.emplace());
    }
  }
  template <class T>
  void map(const char* name, std::map<std::string, T>& elements) {
    const Json* member = find(name);
    if (member == nullptr) return;
    if (!member->is_object()) return faults_.add(path_of(name), "expected an object");
    elements.clear();
    for (const auto& [key, element] : member->items()) {
      Reader reader(element, path_of(name) + "." + key, faults_);
      fields(reader, elements[key]);
    }
  }
  template <class T>
  void list(const char* name, std::vector<T>& elements) {
    const Json* member = find(name);
    if (member == nullptr) return;
    if (!member->is_array()) return faults_.add(path_of(name), "expected an array");
    elements.clear();
    for (size_t i = 0; i < member->size(); ++i) {
      Reader reader((*member)[i], path_of(name) + "[" + std::to_string(i) + "]", faults_);
      fields(reader, elements.emplace_back());
    }
  }

 private:
  const Json* find(const char* name) {
    if (faults_.lists_unknown()) known_.emplace_back(name);
    if (!json_.is_object()) return nullptr;
    const auto it = json_.find(name);
    return it == json_.end() || it->is_null() ? nullptr : &*it;
  }
  [[nodiscard]] std::string path_of(const std::string& name) const {
    return path_.empty() ? name : path_ + "." + name;
  }

  const Json& json_;
  std::string path_;
  Faults& faults_;
  std::vector<std::string_view> known_;
};

template <class T>
Result<T> read(std::string_view text, std::string_view name, std::vector<std::string>* unknown) {
  STRATA_TRY(const Json json, parse_json(text, name));
  Faults faults(name, unknown);
  T value;
  {
    Reader reader(json, "", faults);
    fields(reader, value);
  }
  if (faults.first()) return std::unexpected(*faults.first());
  return value;
}

template <class T>
std::string write(T copy, int indent) {  // a copy: the description serves reading, too
  return Writer::written(copy).dump(indent, ' ', false, OrderedJson::error_handler_t::replace);
}

}  // namespace

std::string to_json(const Spec& spec) {
  return write(spec, 2);
}

std::string to_json(const Seccomp& seccomp) {
  return write(seccomp, -1);
}

Result<Spec> from_json(std::string_view text, std::string_view name,
                       std::vector<std::string>* unknown) {
  STRATA_TRY(Spec spec, read<Spec>(text, name, unknown));
  if (!spec.version.starts_with("1."))
    return fail(EINVAL, std::string(name) + ": ociVersion: '" + spec.version +
                            "' is not a version 1 of the specification");
  return spec;
}

Result<Process> process_from_json(std::string_view text, std::string_view name) {
  return read<Process>(text, name, nullptr);
}

Result<Resources> resources_from_json(std::string_view text, std::string_view name) {
  return read<Resources>(text, name, nullptr);
}

}  // namespace strata::oci
