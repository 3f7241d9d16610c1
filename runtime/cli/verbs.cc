#include "runtime/cli/verbs.h"

#include <array>

#include "runtime/cli/command.h"

namespace strata::cli {
namespace {

constexpr std::string_view kContainers = "Containers";
constexpr std::string_view kImages = "Images";
constexpr std::string_view kResearch = "Research";
constexpr std::string_view kStore = "Store";

constexpr std::array kVerbs{
    Verb{"run", "strata", false, kRuntimeFailure, kContainers, "create and start a container"},
    Verb{"create", "strata", false, kRuntimeFailure, kContainers, "create a container"},
    Verb{"start", "strata", false, kRuntimeFailure, kContainers, "start created containers"},
    Verb{"exec", "strata", false, kRuntimeFailure, kContainers, "run a command in a container"},
    Verb{"ps", "strata", false, kFailure, kContainers, "list containers"},
    Verb{"logs", "strata", false, kFailure, kContainers, "show what a container wrote"},
    Verb{"stop", "strata", false, kFailure, kContainers, "stop containers: signal, wait, kill"},
    Verb{"kill", "strata", false, kFailure, kContainers, "send containers a signal"},
    Verb{"wait", "strata", false, kFailure, kContainers, "wait for containers to exit"},
    Verb{"rm", "strata", false, kFailure, kContainers, "remove containers"},
    Verb{"inspect", "strata", false, kFailure, kContainers, "show a container or image as JSON"},
    Verb{"commit", "strata-image", false, kFailure, kImages, "make an image from a container"},
    Verb{"import", "strata-image", false, kFailure, kImages, "make an image from a tar"},
    Verb{"load", "strata-image", false, kFailure, kImages, "load images from an archive"},
    Verb{"save", "strata-image", false, kFailure, kImages, "save images to an archive"},
    Verb{"images", "strata-image", false, kFailure, kImages, "list images"},
    Verb{"history", "strata-image", false, kFailure, kImages, "show how an image was made"},
    Verb{"tag", "strata-image", false, kFailure, kImages, "give an image another name"},
    Verb{"rmi", "strata-image", false, kFailure, kImages, "remove images"},
    Verb{"prune", "strata-image", false, kFailure, kStore, "remove what nothing uses"},
    Verb{"fsck", "strata-image", false, kFailure, kStore, "check the store, optionally repair it"},
    Verb{"check", "strata-image", false, kFailure, kStore, "say what this machine can do"},
    Verb{"vm", "strata-vm", true, kRuntimeFailure, kResearch, "run an image as a virtual machine"},
    Verb{"bench", "strata-bench", true, kFailure, kResearch, "run benchmarks and report"},
    Verb{"probe", "strata-probe", true, kFailure, kResearch, "watch a command through eBPF"},
    Verb{"scenario", "strata-scenario", true, kFailure, kResearch, "run scenarios"},
    Verb{"union", "strata-union", true, kFailure, kResearch, "experiment with union file systems"},
};

}  // namespace

std::span<const Verb> verbs() {
  return kVerbs;
}

const Verb* find_verb(std::string_view name) {
  for (const auto& verb : kVerbs)
    if (verb.name == name) return &verb;
  return nullptr;
}

}  // namespace strata::cli
