// A running QEMU: started with its end of the sockets, killed and reaped by its owner, and killed
// by the kernel should its owner die first.
//
// Thread rule: one owner, in a single-threaded process (the kernel kills QEMU when the thread that
// started it ends: PR_SET_PDEATHSIG).
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "unionfs/base/result.h"
#include "unionfs/base/unique_fd.h"

namespace strata::vm {

class QemuProcess {
 public:
  // Starts argv[0] from PATH. `initramfs` is inherited; the sockets and the pipe are made here.
  // ENOENT names the package to install.
  [[nodiscard]] static Result<QemuProcess> start(const std::vector<std::string>& argv,
                                                 const UniqueFd& initramfs);

  QemuProcess(QemuProcess&& other) noexcept;
  QemuProcess& operator=(QemuProcess&&) = delete;
  QemuProcess(const QemuProcess&) = delete;
  QemuProcess& operator=(const QemuProcess&) = delete;
  ~QemuProcess();

  // Readable once it has ended.
  [[nodiscard]] int pidfd() const { return pidfd_.get(); }
  // Our ends, non-blocking. Closed at the end of their streams (reset()).
  [[nodiscard]] UniqueFd& channel() { return channel_; }
  [[nodiscard]] UniqueFd& console() { return console_; }
  // What it says on its standard output and error.
  [[nodiscard]] UniqueFd& messages() { return messages_; }

  void kill();
  // Waits for its end; the exit status, or 128 + signal number.
  int wait();

 private:
  QemuProcess() = default;

  pid_t pid_ = -1;
  UniqueFd pidfd_, channel_, console_, messages_;
};

}  // namespace strata::vm
