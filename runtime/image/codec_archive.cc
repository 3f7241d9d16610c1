// The rarer compressions, through libarchive's filters.

#include "runtime/image/archive_input.h"
#include "runtime/image/codec_parts.h"

namespace strata::image {
namespace {

class ArchiveSource final : public ByteSource {
 public:
  explicit ArchiveSource(OwnedSource in)
      : in_(std::move(in)), archive_(*in_, ArchiveInput::Kind::kCompressed) {}

  Result<void> start() {
    STRATA_CHECK(archive_.next());
    return {};
  }

  Result<size_t> read(std::span<std::byte> buffer) override { return archive_.read(buffer); }

 private:
  OwnedSource in_;
  ArchiveInput archive_;
};

}  // namespace

Result<OwnedSource> archive_source(OwnedSource in) {
  auto source = std::make_unique<ArchiveSource>(std::move(in));
  STRATA_CHECK(source->start());
  return source;
}

}  // namespace strata::image
