#include "runtime/bundle/exec.h"

#include <unistd.h>

#include <charconv>

#include "runtime/bundle/console.h"
#include "runtime/bundle/engine_words.h"
#include "runtime/bundle/filter_cache.h"
#include "runtime/bundle/listener.h"
#include "runtime/bundle/rootless.h"
#include "runtime/container/environment.h"

namespace strata::bundle {
namespace {

Result<uint32_t> parse_number(std::string_view text, const std::string& user) {
  uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size())
    return fail(EINVAL, "user '" + user + "': give <uid>[:<gid>] in numbers");
  return number;
}

Result<void> change_user(const std::string& text, oci::User& user) {
  if (text.empty()) return {};
  const auto colon = text.find(':');
  STRATA_TRY(user.uid, parse_number(std::string_view(text).substr(0, colon), text));
  if (colon == std::string::npos) return {};
  STRATA_TRY(user.gid, parse_number(std::string_view(text).substr(colon + 1), text));
  return {};
}

// Never inheritable ones: a file with such capabilities would hand them to whoever runs it
// (CVE-2022-29162). Ambient ones take effect only where the configuration has inheritable ones.
void add_capabilities(const std::vector<std::string>& names, oci::Capabilities& capabilities) {
  for (auto* set : {&capabilities.bounding, &capabilities.effective, &capabilities.permitted,
                    &capabilities.ambient})
    set->insert(set->end(), names.begin(), names.end());
}

Result<void> check_status(const Container& container, bool ignore_paused) {
  switch (container.status()) {
    case Status::kStopped:
    case Status::kCreating:
      return fail(EINVAL, "cannot exec in a stopped container");
    case Status::kPaused:
      if (!ignore_paused)
        return fail(EINVAL, "cannot exec in a paused container (use --ignore-paused to override)");
      return {};
    default:
      return {};
  }
}

}  // namespace

Result<oci::Process> changed_process(const Container& container, const ProcessChanges& changes) {
  STRATA_TRY(auto spec, container.spec());
  oci::Process process = std::move(spec.process);
  process.args = changes.args;
  process.terminal = changes.terminal.value_or(false);
  if (changes.cwd) process.cwd = *changes.cwd;
  STRATA_CHECK(container::set_variables(process.env, changes.env));
  STRATA_CHECK(change_user(changes.user, process.user));
  auto& groups = process.user.additional_gids;
  groups.insert(groups.end(), changes.additional_gids.begin(), changes.additional_gids.end());
  add_capabilities(changes.capabilities, process.capabilities);
  if (changes.no_new_privileges) process.no_new_privileges = true;
  return process;
}

Result<linux::Launched> launch_in(const Container& container, const oci::Spec& spec,
                                  const oci::Process& process, const ProcessPlace& place) {
  STRATA_TRY(const UniqueFd init, container.open_init());
  const auto states = container.directory().path().parent_path();
  STRATA_TRY(const auto seccomp, seccomp_filter(states, spec));
  const auto cgroup = container.cgroup();
  linux::ExecRequest request{.pidfd = init.get(),
                             .process = &process,
                             .program = place.program,
                             .cgroup = cgroup.directories().empty() ? nullptr : &cgroup,
                             .stdio = place.stdio,
                             .preserved_fds = place.preserved_fds,
                             .program_tells = place.program_tells};
  if (seccomp) {
    request.seccomp = seccomp->program;
    request.seccomp_flags = seccomp->flags;
    request.seccomp_listener = seccomp->notifies;
  }
  auto launched = linux::launch_exec(request);
  if (launched)
    STRATA_CHECK(hand_over_listener(container.record(), Status::kRunning, spec, *launched));
  return launched;
}

Result<linux::Launched> exec(const Container& container, const oci::Process& process,
                             const ExecOptions& options) {
  STRATA_CHECK(check_status(container, options.ignore_paused));
  if (process.args.empty()) return fail(EINVAL, "process args cannot be empty");
  if (process.terminal && options.console_socket.empty() && !options.keep_console)
    return fail(EINVAL, "cannot allocate tty if runc will detach without setting console socket");
  if (!process.terminal && !options.console_socket.empty())
    return fail(EINVAL, "cannot use console socket if runc will not detach or allocate tty");
  STRATA_TRY(const auto spec, container.spec());
  STRATA_CHECK(become_root_in(container));
  auto launched = launch_in(container, spec, process,
                            {.stdio = {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO},
                             .preserved_fds = options.preserved_fds,
                             .program_tells = true});
  if (!launched) return std::unexpected(unable_to_start(std::move(launched).error()));
  if (launched->console() && !options.keep_console) {
    STRATA_CHECK(send_console(options.console_socket, launched->console().get()));
    launched->console().reset();
  }
  if (!options.pid_file.empty()) STRATA_CHECK(write_pid_file(options.pid_file, launched->pid()));
  if (auto started = launched->start(); !started) {
    if (!options.pid_file.empty()) ::unlink(options.pid_file.c_str());
    return std::unexpected(
        unable_to_start(words_of_exec_error(process.args.front(), started.error())));
  }
  return launched;
}

}  // namespace strata::bundle
