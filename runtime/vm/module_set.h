// The modules of one kernel, and in which order to load the ones that are wanted.
//
// Thread rule: one owner.
#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "runtime/vm/module.h"
#include "unionfs/base/result.h"

namespace strata::vm {

class ModuleSet {
 public:
  // Indexes `dir` and all below it by file name; nothing is read yet but `modules.builtin`, where
  // there is one: the list of what the kernel has compiled in.
  [[nodiscard]] static Result<ModuleSet> open(const std::filesystem::path& dir);

  // The wanted modules with all that they depend on, dependencies first, each once; those that
  // are compiled into the kernel are left out. ENOENT names a module that is nowhere, ELOOP a
  // circle.
  [[nodiscard]] Result<std::vector<Module>> resolve(const std::vector<std::string>& wanted) const;

  // The file of a module; empty if there is none.
  [[nodiscard]] std::filesystem::path file(const std::string& name) const;

 private:
  std::filesystem::path dir_;
  std::map<std::string, std::filesystem::path> files_;
  std::set<std::string> builtin_;
};

}  // namespace strata::vm
