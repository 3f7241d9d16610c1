#include "runtime/bundle/engine_words.h"

namespace strata::bundle {

Error words_of_exec_error(const std::string& program, const Error& error) {
  const std::string what = "exec: \"" + program + "\": ";
  const bool plain = error.what == posix_error("execute " + program, error.code).what;
  if (!plain) return {error.code, what + error.what};
  if (error.code == EACCES) return {error.code, what + "permission denied"};
  if (error.code != ENOENT) return posix_error("exec " + program, error.code);
  if (program.find('/') != std::string::npos)
    return {ENOENT, what + "stat " + program + ": no such file or directory"};
  return {ENOENT, what + "executable file not found in $PATH"};
}

Error unable_to_start(Error error) {
  return wrap("unable to start container process", std::move(error));
}

}  // namespace strata::bundle
