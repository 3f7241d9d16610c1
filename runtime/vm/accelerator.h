// Which accelerator a guest gets. KVM counts as usable only where a guest (this kernel with our
// init) was seen to boot under it: there are hosts whose /dev/kvm starts tiny guests but hangs with
// Linux. The attempt is bounded, and its verdict is remembered in vm/accelerator.json of the store
// for this host kernel, boot, QEMU and guest kernel.
//
// Thread rule: decide_accelerator() starts a guest: call from a single-threaded process.
#pragma once

#include <optional>
#include <string>

#include "runtime/image/store.h"
#include "runtime/vm/kernel.h"
#include "runtime/vm/machine.h"
#include "unionfs/base/result.h"

namespace strata::vm {

struct Verdict {
  Accelerator accelerator = Accelerator::kTcg;
  std::string reason;       // why: "kvm: a guest booted in 0.21 s"; "asked for"
  bool remembered = false;  // from an earlier attempt
};

// What everything depends on; a verdict holds as long as this is the same.
struct VerdictKey {
  std::string host_kernel;   // uname -r -v
  std::string boot_id;       // /proc/sys/kernel/random/boot_id
  std::string qemu;          // qemu_identity()
  std::string guest_kernel;  // its version

  bool operator==(const VerdictKey&) const = default;
};

[[nodiscard]] Result<VerdictKey> verdict_key(const Kernel& kernel);

// As the file has them. recall: nullopt for another key, or no (or a damaged) file.
[[nodiscard]] Result<void> remember_verdict(const image::Store& store, const VerdictKey& key,
                                            const Verdict& verdict);
[[nodiscard]] Result<std::optional<Verdict>> recall_verdict(const image::Store& store,
                                                            const VerdictKey& key);

// The best accelerator that works here: the remembered one, or by trying, which takes up to five
// seconds. `again`: forget what is remembered.
[[nodiscard]] Result<Verdict> decide_accelerator(const image::Store& store, const Kernel& kernel,
                                                 const Report& report, bool again = false);

}  // namespace strata::vm
