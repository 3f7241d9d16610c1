#include "tests/support/environment.h"

#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cstdlib>
#include <utility>

namespace strata::testing {

std::optional<std::string> lacks_root() {
  if (::geteuid() == 0) return std::nullopt;
  return "this test needs root (mounts, namespaces, device nodes)";
}

std::optional<std::string> lacks_program(const std::string& name) {
  if (find_program(name)) return std::nullopt;
  return "this test needs the program '" + name + "'";
}

std::optional<std::string> lacks_debian_image() {
  if (std::filesystem::exists(debian_tar())) return std::nullopt;
  return "this test needs " + debian_tar().string() + " (scripts/make-images makes it)";
}

bool requires_all() {
  const char* value = std::getenv("STRATA_REQUIRE_ALL");
  return value != nullptr && *value != '\0';
}

std::filesystem::path debian_tar() {
  const char* cache = std::getenv("STRATA_CACHE");
  return std::filesystem::path(cache != nullptr ? cache : "/var/cache/strata") / "debian.tar";
}

std::string own_program(const std::string& name) {
  const char* bin = std::getenv("STRATA_BIN");
  return std::string(bin != nullptr ? bin : STRATA_BIN) + "/" + name;
}

std::filesystem::path source_dir() {
  return STRATA_SOURCE;
}

Completed run(std::vector<std::string> argv, std::string input) {
  Command command;
  command.argv = std::move(argv);
  command.input = std::move(input);
  auto done = run_command(command);
  if (done) return *std::move(done);
  ADD_FAILURE() << done.error().what;
  return {.status = 127};
}

bool enter_private_namespaces() {
  static const bool entered = ::unshare(CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWNET) == 0 &&
                              ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
  return entered;
}

}  // namespace strata::testing
