// What all probes have in common, and the one way in which a command is run under one: the order is
// always open and load (the probe's own factory), attach, drain, detach, destroy.
//
// Private to probes/. Thread rule: one user at a time.
#pragma once

#include "probes/command.h"
#include "unionfs/base/result.h"

namespace strata::probes {

class Probe {
 public:
  Probe() = default;
  Probe(const Probe&) = delete;
  Probe& operator=(const Probe&) = delete;
  virtual ~Probe() = default;  // detaches and unloads

  // From here on, what joins is watched. On failure nothing stays attached.
  [[nodiscard]] virtual Result<void> attach() = 0;

  // For join_tree() (probes/join.h).
  [[nodiscard]] virtual int join_fd() const = 0;

  // Readable when there is something to drain, at the latest when the tree has ended.
  [[nodiscard]] virtual int readable_fd() const = 0;

  // Takes in what the kernel side has handed over. Does not wait.
  [[nodiscard]] virtual Result<void> drain() = 0;

  // Whether all processes that ever joined the tree have ended.
  [[nodiscard]] virtual bool tree_ended() const = 0;

  // Afterwards no kernel-side program of the probe runs any more: the next drain() is the last.
  virtual void detach() = 0;
};

// Attaches, runs the command from its first instruction until it has ended (and lingers as the
// command says), draining all the while, and detaches. A command that can't be executed is no
// Error: see CommandEnd.
[[nodiscard]] Result<CommandEnd> watch(Probe& probe, const WatchedCommand& command);

}  // namespace strata::probes
