#include "runtime/bundle/create.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <optional>
#include <utility>

#include "runtime/bundle/console.h"
#include "runtime/bundle/engine_words.h"
#include "runtime/bundle/filter_cache.h"
#include "runtime/bundle/hooks.h"
#include "runtime/bundle/listener.h"
#include "runtime/bundle/start.h"
#include "runtime/container/time.h"
#include "runtime/linux/own_user_namespace.h"
#include "unionfs/base/file.h"
#include "unionfs/base/undo.h"

namespace strata::bundle {
namespace {

constexpr mode_t kPrivate = 0600;

Result<void> check_console(const Bundle& bundle, const CreateOptions& options) {
  const bool terminal = bundle.spec.process.terminal;
  if (terminal && options.console_socket.empty() && !options.keep_console)
    return fail(EINVAL, "cannot allocate tty if runc will detach without setting console socket");
  if (!terminal && !options.console_socket.empty())
    return fail(EINVAL, "cannot use console socket if runc will not detach or allocate tty");
  return {};
}

// Below the hierarchies' mounts, whatever the configuration says.
Result<std::string> cgroup_path(const Bundle& bundle, const std::string& id) {
  const auto& given = bundle.spec.linux.cgroups_path;
  if (given.empty() && bundle.owner != 0) {  // where a part of the tree may be the user's
    const auto parent = linux::Cgroup::own_parent();
    return (parent == "/" ? "" : parent) + "/" + id;
  }
  if (given.empty()) return "/" + id;
  std::string path = std::filesystem::path("/" + given).lexically_normal();
  while (path.starts_with("//")) path.erase(0, 1);
  while (path.ends_with('/')) path.pop_back();
  if (path.empty()) return fail(EINVAL, "config.json: linux.cgroupsPath: not a container's own");
  return path;
}

// What is found in the cgroup later is taken for the container's: so nobody may be in it now.
Result<void> clear_cgroup(const std::string& path) {
  const auto old = linux::Cgroup::existing(path);
  if (old.directories().empty()) return {};
  if (const auto processes = old.processes(); !processes.empty())
    return fail(EBUSY, "container's cgroup is not empty: " + std::to_string(processes.size()) +
                           " process(es) found in " + path);
  return old.remove();
}

Result<UniqueFd> make_fifo(const std::filesystem::path& path) {
  if (::mkfifo(path.c_str(), kPrivate) < 0) return fail_errno("create " + path.string());
  return open_file(path, O_RDWR);
}

class Creation {
 public:
  Creation(StateDirectory directory, const Bundle& bundle, const CreateOptions& options, Log& log)
      : container_(std::move(directory), Record{}),
        bundle_(bundle),
        options_(options),
        waits_(!options.start || !bundle.spec.hooks.start_container.empty()),
        log_(log) {}

  Result<Created> run() {
    network_ = linux::EarlyNetwork::begin(bundle_.spec.linux);
    std::optional<linux::Cgroup> cgroup;
    Undo undo;
    undo.add([this] { [[maybe_unused]] const auto removed = container_.directory().remove(); });
    STRATA_CHECK(record());
    STRATA_TRY(cgroup, make_cgroup());
    undo.add([&cgroup] {  // its directories are open: there may be no descriptors to open them
      [[maybe_unused]] const auto killed = cgroup->kill_all();
      [[maybe_unused]] const auto removed = cgroup->remove();
    });
    UniqueFd fifo;
    if (waits_) {
      STRATA_TRY(fifo, make_fifo(container_.directory().fifo()));
    }
    STRATA_TRY(auto launched, launch(*cgroup, fifo.get()));
    if (!options_.pid_file.empty()) {
      undo.add([this] { ::unlink(options_.pid_file.c_str()); });
      STRATA_CHECK(write_pid_file(options_.pid_file, launched.pid()));
    }
    if (auto started = launched.start(); !started)
      return std::unexpected(
          unable_to_start(words_of_exec_error(bundle_.spec.process.args.front(), started.error())));
    undo.release();
    return Created{std::move(container_), std::move(launched)};
  }

 private:
  // Before anything else is made.
  Result<void> record() {
    const auto& directory = container_.directory();
    Record record{.id = directory.id(),
                  .bundle = bundle_.directory,
                  .rootfs = bundle_.rootfs,
                  .created = container::now_text(),
                  .owner = bundle_.owner,
                  .annotations = bundle_.spec.annotations,
                  .has_hooks = !bundle_.spec.hooks.empty()};
    STRATA_TRY(record.cgroup, cgroup_path(bundle_, directory.id()));
    STRATA_CHECK(clear_cgroup(record.cgroup));
    container_.record() = std::move(record);
    STRATA_CHECK(container_.save());
    return write_file_atomic(directory.config(), bundle_.config, Durability::kAtomic, kPrivate);
  }

  Result<linux::Cgroup> make_cgroup() {
    auto& path = container_.record().cgroup;
    const auto& resources = bundle_.spec.linux.resources;
    // Engines create and start; who runs looks at the container's own output.
    auto cgroup = linux::Cgroup::create(
        path, resources,
        options_.start ? linux::CgroupObserver::kNone : linux::CgroupObserver::kEngine);
    if (!cgroup && may_do_without(cgroup.error())) {
      cgroup = linux::Cgroup::create_where_permitted(path, resources);
      if (cgroup && cgroup->directories().empty()) path.clear();
    }
    if (!cgroup) return std::unexpected(unable_to_start(std::move(cgroup).error()));
    return cgroup;
  }

  // Asked only after a failure, as looking takes time.
  [[nodiscard]] bool may_do_without(const Error& cgroup) const {
    if (cgroup.code != EACCES && cgroup.code != EPERM && cgroup.code != EROFS) return false;
    if (options_.rootless != Rootless::kAuto) return options_.rootless == Rootless::kYes;
    return bundle_.owner != 0 || linux::in_user_namespace();
  }

  Result<linux::Launched> launch(const linux::Cgroup& cgroup, int fifo) {
    STRATA_TRY(const UniqueFd root, open_rootfs(bundle_));
    const auto states = container_.directory().path().parent_path();
    STRATA_TRY(const auto seccomp, seccomp_filter(states, bundle_.spec));
    linux::LaunchRequest request{
        .spec = &bundle_.spec,
        .root_mount = root.get(),
        .cgroup = cgroup.directories().empty() ? nullptr : &cgroup,
        .network = &network_,
        .run_at_once = !waits_ && !bundle_.spec.process.terminal && !(seccomp && seccomp->notifies),
        .stdio = {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO},
        .preserved_fds = options_.preserved_fds,
        .start_fifo = fifo,
        .program_tells = true,
    };
    if (seccomp) {
      request.seccomp = seccomp->program;
      request.seccomp_flags = seccomp->flags;
      request.seccomp_listener = seccomp->notifies;
    }
    const auto& hooks = bundle_.spec.hooks;
    if (!hooks.prestart.empty() || !hooks.create_runtime.empty() || !hooks.create_container.empty())
      request.before_pivot = [this](pid_t pid) { return run_creation_hooks(pid); };
    auto launched = linux::launch(request);
    if (!launched) return std::unexpected(unable_to_start(std::move(launched).error()));
    STRATA_TRY(container_.record().init, container::identify(launched->pid()));
    STRATA_CHECK(container_.save());
    STRATA_CHECK(
        hand_over_listener(container_.record(), Status::kCreating, bundle_.spec, *launched));
    if (launched->console() && !options_.keep_console) {
      STRATA_CHECK(send_console(options_.console_socket, launched->console().get()));
      launched->console().reset();
    }
    return launched;
  }

  Result<void> run_creation_hooks(pid_t pid) {
    Record record = container_.record();
    record.init.pid = pid;
    const std::string state = state_json(record, Status::kCreating);
    log_.debug("running the hooks of creation");
    STRATA_CHECK(run_hooks("prestart", bundle_.spec.hooks.prestart, state, {}));
    STRATA_CHECK(run_hooks("createRuntime", bundle_.spec.hooks.create_runtime, state, {}));
    return run_hooks("createContainer", bundle_.spec.hooks.create_container, state,
                     {.process = pid});
  }

  Container container_;
  const Bundle& bundle_;
  const CreateOptions& options_;
  bool waits_;
  Log& log_;
  linux::EarlyNetwork network_;
};

}  // namespace

Result<Created> create(const std::filesystem::path& root, const std::string& id,
                       const Bundle& bundle, const CreateOptions& options, Log& log) {
  STRATA_CHECK(check_console(bundle, options));
  STRATA_TRY(auto directory, StateDirectory::create(root, id));
  STRATA_TRY(auto created, Creation(std::move(directory), bundle, options, log).run());
  if (!options.start) return created;
  if (bundle.spec.hooks.start_container.empty()) {
    run_poststart_hooks(created.container, bundle.spec.hooks, log);
  } else if (auto started = start(created.container, log); !started) {
    return std::unexpected(std::move(started).error());
  }
  return created;
}

}  // namespace strata::bundle
