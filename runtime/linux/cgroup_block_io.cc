// The block I/O controller: "blkio" on v1, "io" on v2.

#include "runtime/linux/cgroup_files.h"
#include "runtime/linux/cgroup_resources.h"

namespace strata::linux {
namespace {

using Directory = Cgroup::Directory;

Result<const Directory*> find(const LimitWriter& writer, const char* limit) {
  auto v1 = writer.find("blkio", limit);
  if (v1) return v1;
  auto v2 = writer.find("io", limit);
  return v2 ? v2 : v1;
}

std::string numbers(int64_t major, int64_t minor) {
  return std::to_string(major) + ":" + std::to_string(minor) + " ";
}

// BFQ's own weights are the spec's, 10 to 1000; the kernel's are 1 to 10000 (as runc and crun
// convert them).
uint64_t io_weight(uint16_t weight) {
  constexpr uint64_t kLowest = 10;
  return weight <= kLowest ? 1 : 1 + (weight - kLowest) * 9999 / 990;
}

// The first of the files that this kernel has: which depends on its I/O schedulers.
Result<void> write_first(const Directory& directory, const char* limit,
                         std::initializer_list<std::pair<const char*, std::string>> choices) {
  for (const auto& [file, text] : choices)
    if (read_cgroup_file(directory, file)) return write_cgroup_file(directory, file, text);
  return unsupported_limit(limit, "no I/O scheduler of this kernel has it");
}

Result<void> apply_weight(const Directory& io, uint16_t weight) {
  const std::string plain = std::to_string(weight);
  if (io.unified)
    return write_first(
        io, "blockIO.weight",
        {{"io.bfq.weight", plain}, {"io.weight", std::to_string(io_weight(weight))}});
  return write_first(io, "blockIO.weight", {{"blkio.weight", plain}, {"blkio.bfq.weight", plain}});
}

Result<void> apply_leaf_weight(const Directory& io, const std::string& text, const char* limit,
                               const char* file) {
  if (io.unified) return unsupported_limit(limit, "cgroup v2 has no leaf weights");
  return write_first(io, limit, {{file, text}});
}

Result<void> apply_device_weight(const Directory& io, const oci::WeightDevice& device) {
  constexpr const char* kLimit = "blockIO.weightDevice";
  const std::string at = numbers(device.major, device.minor);
  if (device.leaf_weight)
    STRATA_CHECK(apply_leaf_weight(io, at + std::to_string(*device.leaf_weight), kLimit,
                                   "blkio.leaf_weight_device"));
  if (!device.weight) return {};
  const std::string plain = at + std::to_string(*device.weight);
  if (io.unified)
    return write_first(
        io, kLimit,
        {{"io.bfq.weight", plain}, {"io.weight", at + std::to_string(io_weight(*device.weight))}});
  return write_first(io, kLimit,
                     {{"blkio.weight_device", plain}, {"blkio.bfq.weight_device", plain}});
}

struct Throttle {
  const std::vector<oci::ThrottleDevice>& devices;
  const char* limit;
  const char* v1_file;
  const char* v2_key;
};

Result<void> apply_throttle(const LimitWriter& writer, const Throttle& throttle) {
  for (const auto& device : throttle.devices) {
    STRATA_TRY(const Directory* io, find(writer, throttle.limit));
    std::string text = numbers(device.major, device.minor);
    if (io->unified) text.append(throttle.v2_key).append("=");
    // 0 is v1's word for no limit.
    text += io->unified && device.rate == 0 ? "max" : std::to_string(device.rate);
    STRATA_CHECK(write_cgroup_file(*io, io->unified ? "io.max" : throttle.v1_file, text));
  }
  return {};
}

}  // namespace

Result<void> apply_block_io(const LimitWriter& writer, const oci::BlockIo& block_io) {
  if (block_io.weight && *block_io.weight != 0) {
    STRATA_TRY(const Directory* io, find(writer, "blockIO.weight"));
    STRATA_CHECK(apply_weight(*io, *block_io.weight));
  }
  if (block_io.leaf_weight && *block_io.leaf_weight != 0) {
    STRATA_TRY(const Directory* io, find(writer, "blockIO.leafWeight"));
    STRATA_CHECK(apply_leaf_weight(*io, std::to_string(*block_io.leaf_weight), "blockIO.leafWeight",
                                   "blkio.leaf_weight"));
  }
  for (const auto& device : block_io.weight_devices) {
    STRATA_TRY(const Directory* io, find(writer, "blockIO.weightDevice"));
    STRATA_CHECK(apply_device_weight(*io, device));
  }
  STRATA_CHECK(apply_throttle(writer, {block_io.read_bps, "blockIO.throttleReadBpsDevice",
                                       "blkio.throttle.read_bps_device", "rbps"}));
  STRATA_CHECK(apply_throttle(writer, {block_io.write_bps, "blockIO.throttleWriteBpsDevice",
                                       "blkio.throttle.write_bps_device", "wbps"}));
  STRATA_CHECK(apply_throttle(writer, {block_io.read_iops, "blockIO.throttleReadIOPSDevice",
                                       "blkio.throttle.read_iops_device", "riops"}));
  return apply_throttle(writer, {block_io.write_iops, "blockIO.throttleWriteIOPSDevice",
                                 "blkio.throttle.write_iops_device", "wiops"});
}

}  // namespace strata::linux
