#include "unionfs/erofs/xattrs.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cstdint>
#include <cstring>
#include <limits>

#include "unionfs/erofs/format.h"
#include "unionfs/layer_entry.h"
#include "unionfs/overlay_xattrs.h"

namespace strata::unionfs::erofs {
namespace {

struct Prefix {
  std::string_view text;
  uint8_t number;
  bool is_whole_name;
};

constexpr Prefix kPrefixes[] = {
    {"user.", 1, false},
    {"system.posix_acl_access", 2, true},
    {"system.posix_acl_default", 3, true},
    {"trusted.", 4, false},
    {"security.", 6, false},
};

const Prefix* prefix_of(std::string_view name) {
  for (const Prefix& prefix : kPrefixes) {
    if (prefix.is_whole_name ? name == prefix.text : name.starts_with(prefix.text)) return &prefix;
  }
  return nullptr;
}

class Encoder {
 public:
  explicit Encoder(std::string& out) : out_(out), start_(out.size()) {}

  Result<void> add(std::string_view name, std::string_view value) {
    const Prefix* prefix = prefix_of(name);
    if (prefix == nullptr)
      return fail(ENOTSUP, "EROFS can't hold the extended attribute " + std::string(name));
    if (value.size() > std::numeric_limits<uint16_t>::max())
      return fail(E2BIG, "the extended attribute " + std::string(name) + " is too big for EROFS");
    name.remove_prefix(prefix->text.size());
    if (out_.size() == start_) out_.append(sizeof(XattrHeader), '\0');
    const XattrEntry entry{.name_length = static_cast<uint8_t>(name.size()),
                           .prefix = prefix->number,
                           .value_size = static_cast<uint16_t>(value.size())};
    out_.append(reinterpret_cast<const char*>(&entry), sizeof entry).append(name).append(value);
    out_.append(-(out_.size() - start_) % sizeof(uint32_t), '\0');
    // fs/erofs/xattr.c: erofs_getxattr
    const char* text = name.data();
    if (text == nullptr) text = "";
    present_ |= uint32_t{1} << XXH32(text, name.size(), kXattrFilterSeed + prefix->number) % 32;
    return {};
  }

  Result<void> finish() {
    if (out_.size() == start_) return {};
    if ((out_.size() - start_ - sizeof(XattrHeader)) / sizeof(uint32_t) >= kMaxXattrWords)
      return fail(E2BIG, "the extended attributes are too many for EROFS");
    const XattrHeader header{.name_filter = ~present_};
    std::memcpy(out_.data() + start_, &header, sizeof header);
    return {};
  }

 private:
  std::string& out_;
  size_t start_;
  uint32_t present_ = 0;
};

}  // namespace

Result<void> append_xattrs(std::string& out, const index::Record& record,
                           std::string_view redirect) {
  Encoder encoder(out);
  if (!redirect.empty()) {
    STRATA_CHECK(encoder.add(kTrustedXattrs.metacopy, ""));
    STRATA_CHECK(encoder.add(kTrustedXattrs.redirect, redirect));
  }
  if (record.xattrs_size != 0) {
    for (const auto& [name, value] : xattrs_of(record)) {
      STRATA_CHECK(encoder.add(escaped_xattr(name, kTrustedXattrs), value));
    }
  }
  return encoder.finish();
}

}  // namespace strata::unionfs::erofs
