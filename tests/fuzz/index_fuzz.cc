// The index reader on bytes that are anything. The header's fixed fields and the checksum are put
// right, since else everything would end there.
#include <sys/stat.h>
#include <sys/xattr.h>

#include <cstring>

#include "tests/fuzz/fuzz_target.h"
#include "tests/support/temp_dir.h"
#include "unionfs/index/cache.h"

namespace {

using namespace strata::unionfs::index;

std::vector<std::byte> with_good_header(const uint8_t* data, size_t size) {
  std::vector<std::byte> bytes(std::max(size, sizeof(Header)));
  std::memcpy(bytes.data(), data, size);
  Header header;
  std::memcpy(&header, bytes.data(), sizeof header);
  header.magic = kMagic;
  header.version = kVersion;
  header.segment = 0;
  header.parent = {};
  header.file_size = bytes.size();
  std::memcpy(bytes.data(), &header, sizeof header);
  header.checksum = checksum_of(bytes);
  std::memcpy(bytes.data(), &header, sizeof header);
  return bytes;
}

// Looks at some records, each with all of its text. Damaged tries can be graphs: the number is
// bounded, not the depth.
void walk(const Index& index) {
  std::vector<const Record*> open{index.root()};
  size_t sum = 0;
  for (int left = 2000; left > 0 && !open.empty(); --left) {
    const Record* record = open.back();
    open.pop_back();
    sum += path_in_layer(*record).size() + target_of(*record).size();
    for (const XattrView& xattr : xattrs_of(*record)) sum += xattr.name.size() + xattr.value.size();
    for (const Record* child : index.children(*record)) {
      if (open.size() < 1000) open.push_back(child);
    }
    (void)index.child(*record, name_of(*record));
  }
  [[maybe_unused]] static volatile size_t seen;
  seen = sum;  // so that nothing is optimised away
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  auto segment = Segment::from(with_good_header(data, size), "fuzzed");
  if (!segment) return 0;
  const auto index = Index().with(*std::move(segment));
  if (!index) return 0;
  for (const char* path : {"", "etc", "etc/passwd", "usr/bin/env", "a/b/c/d", "d17/f3"})
    (void)index->lookup(path);
  walk(*index);
  return 0;
}

std::vector<std::string> strata::testing::fuzz_seeds() {
  const TempDir dir;
  dir.write("layer/etc/passwd", "root");
  dir.write("layer/usr/bin/env", "x");
  (void)::symlink("env", (dir / "layer/usr/bin/link").c_str());
  (void)::lsetxattr((dir / "layer/etc/passwd").c_str(), "user.a", "value", 5, 0);
  for (int i = 0; i < 200; ++i) dir.write("layer/d17/f" + std::to_string(i), "");
  auto stack = unionfs::LayerStack::open({dir / "layer"});
  if (!stack) return {};
  const auto opened = open_index(*stack, std::nullopt);
  if (!opened) return {};
  const auto bytes = opened->index.segment(0).bytes();
  return {std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size())};
}
