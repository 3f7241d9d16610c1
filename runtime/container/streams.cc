#include "runtime/container/streams.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>

namespace strata::container {
namespace {

// A pipe whose one end is ours.
Result<void> make_pipe(UniqueFd& read, UniqueFd& write, const UniqueFd& ours) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) < 0) return fail_errno("create a pipe");
  read.reset(ends[0]);
  write.reset(ends[1]);
  ::fcntl(ours.get(), F_SETFL, O_NONBLOCK);
  return {};
}

}  // namespace

Result<CommandEnds> make_pipes(bool with_input, Streams& ours) {
  CommandEnds ends;
  STRATA_CHECK(make_pipe(ours.out, ends.out, ours.out));
  STRATA_CHECK(make_pipe(ours.err, ends.err, ours.err));
  if (with_input) STRATA_CHECK(make_pipe(ends.in, ours.input, ours.input));
  return ends;
}

Result<Streams> take_terminal(linux::Launched& launched, const std::optional<winsize>& size) {
  Streams streams;
  streams.out = std::move(launched.console());
  const int master = streams.out.get();
  ::fcntl(master, F_SETFL, O_NONBLOCK);
  if (size) ::ioctl(master, TIOCSWINSZ, &*size);
  streams.input.reset(::fcntl(master, F_DUPFD_CLOEXEC, 0));
  if (!streams.input) return fail_errno("duplicate the terminal's descriptor");
  return streams;
}

}  // namespace strata::container
