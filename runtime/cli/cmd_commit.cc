// strata commit [-m MSG] [-a AUTHOR] [--change INSTRUCTION]… CONTAINER NAME

#include <cstdio>

#include "runtime/cli/image_commands.h"
#include "runtime/container/container.h"
#include "runtime/image/interrupt.h"

namespace strata::cli {
namespace {

struct Options {
  std::string container;
  std::string name;
  bool no_pause = false;
  image::CommitOptions commit;
};

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

Result<image::Image> commit_container(const Globals& globals, Options& options) {
  STRATA_TRY(const image::Store store, image::Store::open_existing(globals.root));
  STRATA_TRY(const auto container, container::Container::find(store, options.container));
  if (container.record().presenter == unionfs::PresenterKind::kCopy)
    return fail(ENOTSUP,
                "container " + container.record().name +
                    " has a copy of its image (--union copy), so its changes stand nowhere "
                    "by themselves");
  options.commit.created_by = joined(container.record().args);
  // Thawed at the end, also after Ctrl-C: the guard notes the signal instead of dying of it.
  std::optional<container::Pause> pause;
  if (!options.no_pause) {
    STRATA_TRY(container::Pause paused, container::Pause::of(container));
    pause.emplace(std::move(paused));
  }
  return image::commit_upper(store, container.files().upper(), container.record().image_id,
                             options.name, options.commit);
}

Result<int> commit(const Globals& globals, Options& options) {
  const image::InterruptGuard guard;
  Result<image::Image> made;
  {
    Progress progress("commit:");
    options.commit.report = report_to(progress);
    made = commit_container(globals, options);
  }
  if (!made) return fail_in("commit", std::move(made).error());
  std::printf("%s\n", made->id.c_str());
  return 0;
}

}  // namespace

Action add_commit(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("CONTAINER", options->container, "container, by name or ID; may be running")
      ->required();
  app.add_option("NAME", options->name, "name of the new image, NAME[:TAG]")->required();
  app.add_flag("--no-pause", options->no_pause,
               "don't freeze the container meanwhile; its files may then not agree");
  add_authoring_options(app, options->commit.authoring);
  return [options](const Globals& globals) { return commit(globals, *options); };
}

}  // namespace strata::cli
