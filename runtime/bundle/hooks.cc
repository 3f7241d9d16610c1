#include "runtime/bundle/hooks.h"

#include "runtime/bundle/hook_process.h"

namespace strata::bundle {
Result<void> run_hooks(std::string_view kind, const std::vector<oci::Hook>& hooks,
                       const std::string& state, HookPlace place) {
  for (size_t i = 0; i < hooks.size(); ++i) {
    const std::string what = "error running " + std::string(kind) + " hook #" + std::to_string(i);
    auto done = run_hook(hooks[i], state, place);
    if (!done) return fail_in(what, std::move(done).error());
    if (done->failure.empty()) continue;
    return fail(ECHILD,
                what + ": " + done->failure + ", stdout: " + done->out + ", stderr: " + done->err);
  }
  return {};
}

}  // namespace strata::bundle
