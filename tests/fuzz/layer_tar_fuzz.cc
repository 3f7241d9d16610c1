// Layer tars that are anything, unpacked: they may be refused, but nothing may appear outside of
// the layer.
#include <algorithm>
#include <cstring>
#include <filesystem>
#include <span>

#include "tests/fuzz/fuzz_target.h"
#include "tests/support/temp_dir.h"
#include "unionfs/base/file.h"
#include "unionfs/base/stream.h"
#include "unionfs/layer_tar.h"

namespace {

using namespace strata;

class Memory final : public ByteSource {
 public:
  explicit Memory(std::span<const std::byte> data) : rest_(data) {}
  Result<size_t> read(std::span<std::byte> buffer) override {
    const size_t count = std::min(buffer.size(), rest_.size());
    std::copy_n(rest_.begin(), count, buffer.begin());
    rest_ = rest_.subspan(count);
    return count;
  }

 private:
  std::span<const std::byte> rest_;
};

class String final : public ByteSink {
 public:
  Result<void> write(std::span<const std::byte> data) override {
    text_.append(reinterpret_cast<const char*>(data.data()), data.size());
    return {};
  }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
};

size_t entries_of(const std::filesystem::path& directory) {
  return static_cast<size_t>(std::distance(std::filesystem::directory_iterator(directory), {}));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const testing::TempDir dir;
  const auto layer = dir / "layer";
  if (!make_dirs(layer)) return 0;
  Memory source({reinterpret_cast<const std::byte*>(data), size});
  const auto unpacked =
      unionfs::unpack_layer(source, layer, {.max_bytes = 1 << 20, .max_entries = 200});
  if (unpacked) {
    String tar;
    [[maybe_unused]] const auto packed = unionfs::pack_layer(layer, tar);
  }
  if (entries_of(dir.path()) != 1) std::abort();
  if (!remove_tree(layer)) std::abort();
  return 0;
}

std::vector<std::string> strata::testing::fuzz_seeds() {
  const TempDir dir;
  dir.write("layer/etc/passwd", "root:x:0:0");
  dir.write("layer/a/b/c", std::string(3000, 'c'));
  dir.write("layer/" + std::string(120, 'n') + "/" + std::string(120, 'm'), "long");
  std::filesystem::create_symlink("../etc/passwd", dir / "layer/a/link");
  std::filesystem::create_hard_link(dir / "layer/a/b/c", dir / "layer/hard");
  String tar;
  if (!unionfs::pack_layer(dir / "layer", tar)) return {};
  return {tar.text()};
}
