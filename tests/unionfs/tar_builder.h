// Tars made by hand, header by header, so that they may say what no archiver would.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "unionfs/base/stream.h"
#include "unionfs/layer_tar.h"

namespace strata::testing {

struct TarEntry {
  std::string name;
  char type = '0';  // typeflag
  std::string content;
  std::string link;
  unsigned mode = 0644;
  unsigned long uid = 0;
  unsigned long gid = 0;
  unsigned long mtime = 1'000'000'000;
  unsigned major = 0;
  unsigned minor = 0;
  long long claimed_size = -1;                           // in the header, instead of the content's
  std::vector<std::pair<std::string, std::string>> pax;  // an extended header in front
};

class TarBuilder {
 public:
  TarBuilder& add(const TarEntry& entry);
  TarBuilder& file(std::string name, std::string content = "") {
    return add({.name = std::move(name), .content = std::move(content)});
  }
  TarBuilder& directory(std::string name, unsigned mode = 0755) {
    return add({.name = std::move(name), .type = '5', .mode = mode});
  }
  TarBuilder& symlink(std::string name, std::string target) {
    return add({.name = std::move(name), .type = '2', .link = std::move(target)});
  }
  TarBuilder& hard_link(std::string name, std::string target) {
    return add({.name = std::move(name), .type = '1', .link = std::move(target)});
  }

  // With the two blocks of the end.
  [[nodiscard]] std::string bytes() const { return bytes_ + std::string(1024, '\0'); }
  [[nodiscard]] std::string bytes_without_end() const { return bytes_; }

 private:
  void header(const TarEntry& entry, size_t size);
  std::string bytes_;
};

// A source over bytes that gives at most `chunk` of them at a time and remembers whether its end
// was reached.
class StringSource final : public ByteSource {
 public:
  explicit StringSource(std::string bytes, size_t chunk = 100'000)
      : bytes_(std::move(bytes)), chunk_(chunk) {}
  [[nodiscard]] Result<size_t> read(std::span<std::byte> buffer) override;
  [[nodiscard]] bool at_end() const { return at_end_; }

 private:
  std::string bytes_;
  size_t chunk_;
  size_t at_ = 0;
  bool at_end_ = false;
};

class StringSink final : public ByteSink {
 public:
  [[nodiscard]] Result<void> write(std::span<const std::byte> data) override;
  [[nodiscard]] const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

// unpack_layer() of bytes into `layer`, which is made if it isn't there.
[[nodiscard]] Result<unionfs::LayerStats> unpack(const std::string& tar,
                                                 const std::filesystem::path& layer,
                                                 const unionfs::UnpackOptions& options = {});

// pack_layer() into a string; a failure is a failed expectation.
[[nodiscard]] std::string pack(const std::filesystem::path& layer);

}  // namespace strata::testing
