// Every system call of `strata-oci run` made to fail, one after the other, or its maker killed at
// it: it works all the same, or there is an error that says what was wrong; and nothing stays
// behind. Where it was the removal of the container that failed, or where the runtime itself was
// killed, `delete --force` clears away what is left.
//
// There are about a thousand faults, of which a sample is tried: $STRATA_FAULTS is how many, or
// "all"; $STRATA_FAULTS_SEED gives another one.

#include <cstdlib>
#include <random>

#include "tests/bundle/oci_fixture.h"
#include "tests/support/fault_injection.h"
#include "unionfs/base/file.h"

namespace strata::bundle {
namespace {

namespace fs = std::filesystem;
using testing::SystemCalls;

struct Fault {
  std::string call, what;
  int number = 0;
  bool follow = false;  // into the processes that the runtime makes, too
};

std::string text_of(const Fault& fault) {
  return fault.what + " at " + fault.call + " number " + std::to_string(fault.number) +
         (fault.follow ? " of each process" : " of the runtime");
}

// What a kernel may say to this call, when something can't be had.
std::vector<std::string> faults_of(const std::string& call) {
  // Waiting and ending don't fail; memory of the C library's own start is not ours.
  for (const char* name : {"execve", "exit",   "exit_group",      "rt_sigreturn", "arch_prctl",
                           "futex",  "wait4",  "waitid",          "poll",         "restart_syscall",
                           "munmap", "close",  "set_robust_list", "rseq",         "set_tid_address",
                           "getpid", "gettid", "geteuid",         "getuid",       "brk"})
    if (call == name) return {};
  for (const char* name : {"openat", "openat2", "pidfd_open", "socketpair", "fsopen", "open_tree"})
    if (call == name) return {"error=EMFILE", "error=ENOMEM", "signal=KILL"};
  if (call.starts_with("clone")) return {"error=EAGAIN", "error=ENOMEM", "signal=KILL"};
  if (call == "read") return {"error=EIO", "signal=KILL"};
  return {"error=ENOMEM", "error=ENOSPC", "signal=KILL"};
}

void add(std::vector<Fault>& faults, const SystemCalls& calls, bool follow) {
  for (const auto& [call, range] : calls)
    for (const auto& what : faults_of(call))
      for (int number = range.first; number <= range.last; ++number)
        faults.push_back({call, what, number, follow});
}

class FaultsTest : public OciTest {
 protected:
  void SetUp() override {
    OciTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    STRATA_NEEDS_PROGRAM("strace");
    write_shell("echo ran", [](Json& config) {
      config["hostname"] = "box";
      config["mounts"].push_back(
          {{"destination", "/mnt"}, {"type", "tmpfs"}, {"source", "tmpfs"}, {"options", {"ro"}}});
      config["linux"]["resources"]["pids"] = {{"limit", 50}};
      config["linux"]["seccomp"] = {
          {"defaultAction", "SCMP_ACT_ALLOW"},
          {"syscalls", {{{"names", {"swapon"}}, {"action", "SCMP_ACT_ERRNO"}}}}};
    });
    ok({"run", "c1"});  // what is kept for later runs is made
  }

  Completed run_under(const std::vector<std::string>& options) {
    std::vector<std::string> argv{"strace", "-qq", "-o", temp_ / "trace/log"};
    argv.insert(argv.end(), options.begin(), options.end());
    for (const auto& word : command_line({"run", "c1"})) argv.push_back(word);
    const auto done =
        run_command({.argv = argv, .directory = bundle_, .timeout = std::chrono::seconds(20)});
    EXPECT_TRUE(done);
    return done ? *done : Completed{.status = -1};
  }

  // The calls of an undisturbed run: the runtime's, and those of what it starts, up to execve(2) of
  // the container's program.
  std::vector<Fault> all_faults() {
    fs::create_directories(temp_ / "trace");
    EXPECT_EQ(run_under({"-ff"}).out, "ran\n");
    std::vector<Fault> faults;
    SystemCalls others;
    for (const auto& entry : fs::directory_iterator(temp_ / "trace")) {
      const auto log = read_file(entry.path()).value_or("");
      if (log.starts_with("execve(")) {
        add(faults, testing::system_calls(log, "execve("), false);
        continue;
      }
      for (const auto& [call, range] : testing::system_calls(log, "", "execve("))
        others[call].last = std::max(others[call].last, range.last);
    }
    add(faults, others, true);
    return faults;
  }

  void expect_good_end(const Fault& fault) {
    auto options = testing::inject(fault.call, fault.what, fault.number);
    if (fault.follow) options.emplace_back("-f");
    const auto done = run_under(options);
    const auto where = text_of(fault) + ": status " + std::to_string(done.status) + " " + done.err;
    EXPECT_FALSE(done.timed_out) << where;
    const bool killed = fault.what == "signal=KILL";
    const bool ran = done.out == "ran\n";
    constexpr int kNotStarted = 127;  // says the C library, in its own words
    if (done.status != 0 && done.status != kNotStarted && !killed) {
      EXPECT_NE(done.err.find("level=error msg="), std::string::npos) << where;
      EXPECT_NE(done.err.find(' ', done.err.find("msg=")), std::string::npos) << where;
    }
    if (done.status == 0) {
      EXPECT_TRUE(ran) << where;
    } else if (killed || ran) {
      (void)oci({"delete", "--force", "c1"});
    }
    expect_nothing_left(where);
    if (::testing::Test::HasFailure()) (void)oci({"delete", "--force", "c1"});
  }
};

TEST_F(FaultsTest, LeaveAnErrorAndNothingElse) {
  auto faults = all_faults();
  ASSERT_GT(faults.size(), 300U);
  const char* wanted = std::getenv("STRATA_FAULTS");
  const char* seed = std::getenv("STRATA_FAULTS_SEED");
  size_t count = wanted != nullptr ? std::strtoul(wanted, nullptr, 10) : 300;
  if (wanted != nullptr && std::string_view(wanted) == "all") count = faults.size();
  std::mt19937 random(seed != nullptr ? std::strtoul(seed, nullptr, 10) : 1);
  std::shuffle(faults.begin(), faults.end(), random);
  faults.resize(std::min(count, faults.size()));
  for (const auto& fault : faults) expect_good_end(fault);
}

}  // namespace
}  // namespace strata::bundle
