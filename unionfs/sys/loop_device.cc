#include "unionfs/sys/loop_device.h"

#include <fcntl.h>
#include <linux/loop.h>
#include <sys/ioctl.h>

#include <string>

#include "unionfs/base/file.h"

namespace strata::unionfs::sys {

Result<LoopDevice> attach_loop_device(int file) {
  constexpr int kTries = 64;  // others may take the device that we were offered
  STRATA_TRY(const UniqueFd control, open_file("/dev/loop-control", O_RDWR));
  loop_config config{};
  config.fd = static_cast<__u32>(file);
  config.info.lo_flags = LO_FLAGS_READ_ONLY | LO_FLAGS_AUTOCLEAR;
  for (int i = 0; i < kTries; ++i) {
    const int number = ::ioctl(control.get(), LOOP_CTL_GET_FREE);
    if (number < 0) return fail_errno("find a free loop device");
    LoopDevice device{.path = "/dev/loop" + std::to_string(number)};
    STRATA_TRY(device.fd, open_file(device.path, O_RDONLY));
    if (::ioctl(device.fd.get(), LOOP_CONFIGURE, &config) == 0) return device;
    if (errno != EBUSY) return fail_errno("configure " + device.path.string());
  }
  return fail(EBUSY, "no loop device stays free");
}

}  // namespace strata::unionfs::sys
