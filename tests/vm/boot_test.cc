// Real guests: the Debian image under both machines, through the program as its users see it. One
// store serves all tests, since importing the image and fetching the kernel take their time.

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <memory>
#include <random>
#include <thread>

#include <gtest/gtest.h>

#include "runtime/image/store.h"
#include "tests/support/environment.h"
#include "tests/support/matchers.h"
#include "tests/support/temp_dir.h"
#include "unionfs/base/file.h"
#include "unionfs/base/json.h"

namespace strata::vm {
namespace {

using namespace std::chrono_literals;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr const char* kImage = "debian:test";

// The store with the image and a kernel, made once.
class SharedStore : public ::testing::Environment {
 public:
  void SetUp() override {
    dir_ = std::make_unique<testing::TempDir>();
    if (testing::lacks_root() || testing::lacks_debian_image() ||
        testing::lacks_program("apt-get") || testing::lacks_program("mkfs.erofs") ||
        testing::lacks_program("qemu-system-x86_64"))
      return;
    const auto imported = testing::run({testing::own_program("strata-image"), "--root", root(),
                                        "import", testing::debian_tar(), kImage});
    EXPECT_EQ(imported.status, 0) << imported.err;
    const auto fetched =
        testing::run({testing::own_program("strata-vm"), "--root", root(), "kernel", "--fetch"});
    EXPECT_EQ(fetched.status, 0) << fetched.err;
  }
  void TearDown() override { dir_.reset(); }

  [[nodiscard]] const testing::TempDir& dir() const { return *dir_; }
  [[nodiscard]] std::string root() const { return (*dir_ / "store").string(); }

 private:
  std::unique_ptr<testing::TempDir> dir_;
};

auto* const shared = static_cast<SharedStore*>(
    ::testing::AddGlobalTestEnvironment(new SharedStore));  // NOLINT: gtest owns it

class Boot : public ::testing::Test {
 protected:
  void SetUp() override {
    STRATA_NEEDS_ROOT();
    STRATA_NEEDS_DEBIAN();
    STRATA_NEEDS_PROGRAM("apt-get");
    STRATA_NEEDS_PROGRAM("mkfs.erofs");
    STRATA_NEEDS_PROGRAM("qemu-system-x86_64");
  }

  [[nodiscard]] static std::string root() { return shared->root(); }

  [[nodiscard]] static std::vector<std::string> command_line(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {testing::own_program("strata-vm"), "--root", root()});
    return arguments;
  }
  [[nodiscard]] static Completed strata(std::vector<std::string> arguments,
                                        const std::string& input = {}) {
    return testing::run(command_line(std::move(arguments)), input);
  }
  // strata vm run --accel tcg OPTIONS debian -- COMMAND
  [[nodiscard]] static std::vector<std::string> run_arguments(
      const std::vector<std::string>& options, const std::vector<std::string>& command) {
    std::vector<std::string> arguments{"run", "--accel", "tcg"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    arguments.insert(arguments.end(), {kImage, "--"});
    arguments.insert(arguments.end(), command.begin(), command.end());
    return arguments;
  }
  [[nodiscard]] static Completed run(const std::vector<std::string>& options,
                                     const std::vector<std::string>& command,
                                     const std::string& input = {}) {
    return strata(run_arguments(options, command), input);
  }
};

TEST_F(Boot, KernelComesFromDebiansPackage) {
  const auto listed = strata({"kernel", "--json"});
  STRATA_ASSERT_OK(const auto kernels, parse_json(listed.out, "kernels"));
  ASSERT_EQ(kernels.size(), 1U);
  const auto& kernel = kernels[0];
  EXPECT_THAT(kernel["package"].get<std::string>(), StartsWith("linux-image-"));
  EXPECT_THAT(kernel["version"].get<std::string>(), EndsWith("-cloud-amd64"));
  EXPECT_TRUE(kernel["used"].get<bool>());
  // Fetching again finds that nothing is to be done.
  const auto again = strata({"kernel", "--fetch"});
  EXPECT_EQ(again.status, 0) << again.err;
}

class OnMachine : public Boot, public ::testing::WithParamInterface<const char*> {};

TEST_P(OnMachine, TheCommandsOutputAndStatusAreOurs) {
  const auto done = run({"--machine", GetParam(), "--json"},
                        {"sh", "-c", "echo out; echo err >&2; uname -r; exit 42"});
  EXPECT_EQ(done.status, 42) << done.err;
  STRATA_ASSERT_OK(const auto json, parse_json(done.out, "report"));
  EXPECT_EQ(json["machine"], GetParam());
  EXPECT_EQ(json["accelerator"], "tcg");
  EXPECT_EQ(json["exit_status"], 42);
  EXPECT_THAT(json["qemu_version"].get<std::string>(), HasSubstr("QEMU"));
  const auto kernel = json["kernel"].get<std::string>();
  EXPECT_THAT(done.err, HasSubstr("strata: accelerator: tcg (asked for)\n"));
  EXPECT_THAT(done.err, HasSubstr("out\n"));
  EXPECT_THAT(done.err, HasSubstr("err\n"));
  EXPECT_THAT(done.err, HasSubstr(kernel + "\n"));
  int64_t before = 0;
  for (const char* time : {"started_ns", "booted_ns", "executed_ns", "first_output_ns",
                           "command_ended_ns", "exited_ns"}) {
    const auto now = json["times"][time].get<int64_t>();
    EXPECT_GE(now, before) << time;
    before = now;
  }
}

INSTANTIATE_TEST_SUITE_P(Machines, OnMachine, ::testing::Values("microvm", "q35"),
                         [](const auto& param) { return std::string(param.param); });

TEST_F(Boot, ArgumentsEnvironmentDirectoryAndUserArriveUnchanged) {
  const std::string odd = "two words\n'quotes\" $HOME \xc3\xa4\xe2\x82\xac \xff\\";
  const std::string script = R"(
      printf '%s|' "$#" "$1" "$2" "$ODD" "${EMPTY-unset}" "$HOME"
      pwd; id; cat /proc/sys/kernel/hostname
      echo > /dev/stderr
      test -t 0 || echo no terminal)";
  const auto done =
      run({"-q", "-e", "ODD=" + odd, "-e", "EMPTY=", "-w", "/srv/new dir", "-u", "www-data"},
          {"sh", "-c", script, "sh", odd, ""});
  EXPECT_EQ(done.status, 0) << done.err;
  EXPECT_EQ(done.out, "2|" + odd + "||" + odd + "||/var/www|/srv/new dir\n" +
                          "uid=33(www-data) gid=33(www-data) groups=33(www-data)\n" +
                          "strata-vm\nno terminal\n");
  EXPECT_EQ(done.err, "\n");
}

TEST_F(Boot, OutputIsExactToTheByte) {
  const auto done = run({"-q"}, {"cat", "/usr/bin/dpkg"});
  EXPECT_EQ(done.status, 0) << done.err;
  EXPECT_EQ(done.err, "");
  STRATA_ASSERT_OK(const auto store, image::Store::open(root()));
  STRATA_ASSERT_OK(const auto image, store.get(kImage));
  STRATA_ASSERT_OK(const auto original, read_file(image.layers[0].tree / "usr/bin/dpkg"));
  EXPECT_TRUE(done.out == original) << done.out.size() << " bytes of " << original.size();
}

TEST_F(Boot, InputIsExactToTheByteAndEnds) {
  std::string input(300'000, '\0');
  std::minstd_rand random(7);
  for (auto& c : input) c = static_cast<char>(random());
  const auto done = run({"-q", "-i"}, {"cat"}, input);
  EXPECT_EQ(done.status, 0) << done.err;
  EXPECT_TRUE(done.out == input) << done.out.size() << " bytes";
}

TEST_F(Boot, TheRootIsWritableAndThrownAway) {
  const auto written =
      run({"-q"}, {"sh", "-c", "echo x > /etc/new && rm /etc/passwd && cat /etc/new"});
  EXPECT_EQ(written.status, 0) << written.err;
  EXPECT_EQ(written.out, "x\n");
  const auto after = run({"-q"}, {"sh", "-c", "test ! -e /etc/new && test -e /etc/passwd"});
  EXPECT_EQ(after.status, 0) << after.err;
}

TEST_F(Boot, ACommandThatCantBeRunSaysWhy) {
  const auto missing = run({"-q"}, {"no-such-command"});
  EXPECT_EQ(missing.status, 127);
  EXPECT_THAT(missing.err, HasSubstr("no-such-command: No such file or directory"));
  const auto directory = run({"-q"}, {"/etc"});
  EXPECT_EQ(directory.status, 126);
  EXPECT_THAT(directory.err, HasSubstr("/etc: Permission denied"));
  const auto nobody = run({"-q", "-u", "no-such-user"}, {"true"});
  EXPECT_EQ(nobody.status, 125);
  EXPECT_THAT(nobody.err, HasSubstr("no user 'no-such-user'"));
}

TEST_F(Boot, ASignalsDeathIsToldAsAShellTellsIt) {
  EXPECT_EQ(run({"-q"}, {"sh", "-c", "kill -TERM $$"}).status, 128 + SIGTERM);
}

TEST_F(Boot, WhatStaysInTheBackgroundKeepsNothingUp) {
  const auto done = run({"-q"}, {"sh", "-c", "sleep 1000 & echo started"});
  EXPECT_EQ(done.status, 0) << done.err;
  EXPECT_EQ(done.out, "started\n");
}

TEST_F(Boot, TimeoutStopsTheCommand) {
  const auto done = run({"-q", "--timeout", "0.5"}, {"sh", "-c", "echo started; exec sleep 1000"});
  EXPECT_EQ(done.status, 124);
  EXPECT_THAT(done.err, HasSubstr("--timeout"));
  EXPECT_LT(done.wall, 60s);
}

TEST_F(Boot, APanicIsQuoted) {
  const auto done = run({"-q"}, {"sh", "-c", "echo before; echo c > /proc/sysrq-trigger"});
  EXPECT_EQ(done.status, 125);
  EXPECT_EQ(done.out, "before\n");
  EXPECT_THAT(done.err, HasSubstr("the guest's kernel panicked"));
  EXPECT_THAT(done.err, HasSubstr("sysrq triggered crash"));
}

TEST_F(Boot, OptionsThatMakeNoSenseAreRefusedBeforeAnythingStarts) {
  EXPECT_EQ(strata({"run"}).status, 125);
  EXPECT_THAT(strata({"run", "-q", kImage}).err, HasSubstr("the image names no command"));
  EXPECT_THAT(strata({"run", "no-such-image"}).err, HasSubstr("no-such-image"));
  EXPECT_THAT(run({"-m", "12x"}, {"true"}).err, HasSubstr("no amount of memory"));
  EXPECT_THAT(run({"-m", "16"}, {"true"}).err, HasSubstr("at least 128 MiB"));
  EXPECT_THAT(run({"--kernel", "/etc/passwd"}, {"true"}).err, HasSubstr("give both or none"));
  EXPECT_THAT(run({"--kernel", "/no/kernel"}, {"true"}).err, HasSubstr("/no/kernel"));
  EXPECT_THAT(run({"--modules", "/no/modules"}, {"true"}).err, HasSubstr("/no/modules"));
  for (const auto* seconds : {"0", "-1", "x", "1e300"})
    EXPECT_THAT(run({"--timeout", seconds}, {"true"}).err,
                HasSubstr("'" + std::string(seconds) + "' is not a number of seconds"));
  EXPECT_EQ(strata({"run", "--help"}).status, 0);
}

TEST_F(Boot, QemuMissingNamesThePackage) {
  Command command{.argv = command_line(run_arguments({}, {"true"})), .env = {"PATH=/nowhere"}};
  STRATA_ASSERT_OK(const auto done, run_command(command));
  EXPECT_EQ(done.status, 125);
  EXPECT_THAT(done.err, HasSubstr("qemu-system-x86"));
}

TEST_F(Boot, AKernelThatDoesNotBootIsQuotedWithQemusWords) {
  const auto kernel = shared->dir().write("broken", "this is no kernel");
  STRATA_ASSERT_OK(const auto store, image::Store::open(root()));
  const auto kernels = store.vm_dir() / "kernels";
  const auto modules = *std::filesystem::directory_iterator(kernels);
  const auto done =
      run({"-q", "--kernel", kernel, "--modules", modules.path() / "modules"}, {"true"});
  EXPECT_EQ(done.status, 125);
  EXPECT_THAT(done.err, HasSubstr("before the guest had booted"));
  EXPECT_THAT(done.err, HasSubstr("QEMU:"));
}

TEST_F(Boot, DisksAreMadeOnceHoweverManyWantThem) {
  STRATA_ASSERT_OK(const auto store, image::Store::open(root()));
  const auto disks = store.vm_dir() / "disks";
  STRATA_ASSERT_OK(const auto image, store.get(kImage));
  ASSERT_THAT(remove_tree(disks), testing::IsOk());
  std::array<Completed, 2> done;
  {
    std::vector<std::jthread> threads;
    threads.reserve(done.size());
    for (auto& one : done)
      threads.emplace_back([&one] {
        one = strata({"prepare", "--accel", "tcg", "--json", kImage});
      });
  }
  for (const auto& one : done) {
    EXPECT_EQ(one.status, 0) << one.err;
    STRATA_ASSERT_OK(const auto json, parse_json(one.out, "prepared"));
    EXPECT_EQ(json["image_id"], image.id);
    EXPECT_TRUE(std::filesystem::exists(json["disk"].get<std::string>()));
  }
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(disks), {}), 1);
  EXPECT_TRUE(std::filesystem::is_empty(store.tmp_dir()));
}

// strata-vm in the background with a pipe for its standard output.
class Running {
 public:
  explicit Running(const std::vector<std::string>& argv) {
    std::array<int, 2> fds{};
    EXPECT_EQ(::pipe2(fds.data(), O_CLOEXEC), 0);
    out_.reset(fds[0]);
    const UniqueFd write(fds[1]);
    std::vector<char*> pointers;
    pointers.reserve(argv.size() + 1);
    for (const auto& argument : argv) pointers.push_back(const_cast<char*>(argument.c_str()));
    pointers.push_back(nullptr);
    posix_spawn_file_actions_t actions{};
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, write.get(), STDOUT_FILENO);
    EXPECT_EQ(::posix_spawn(&pid_, pointers[0], &actions, nullptr, pointers.data(), environ), 0);
    ::posix_spawn_file_actions_destroy(&actions);
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  ~Running() {
    if (pid_ > 0) end(SIGKILL);
  }

  // The first bytes that the command writes.
  [[nodiscard]] std::string first_output() const {
    pollfd ready{out_.get(), POLLIN, 0};
    if (::poll(&ready, 1, 120'000) <= 0) return "nothing";
    std::array<char, 100> text{};
    const ssize_t n = ::read(out_.get(), text.data(), text.size());
    return {text.data(), static_cast<size_t>(std::max<ssize_t>(n, 0))};
  }
  [[nodiscard]] std::string children() const {
    const auto pid = std::to_string(pid_);
    return read_file("/proc/" + pid + "/task/" + pid + "/children").value_or("");
  }
  // Its wait status.
  int end(int signal) {
    ::kill(pid_, signal);
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    return status;
  }

 private:
  pid_t pid_ = -1;
  UniqueFd out_;
};

class Ended : public Boot, public ::testing::WithParamInterface<int> {};

TEST_P(Ended, ASignalToStrataLeavesNoQemuBehind) {
  Running running(command_line(run_arguments({"-q"}, {"sh", "-c", "echo up; exec sleep 1000"})));
  // The first byte is here long before the command ends.
  ASSERT_EQ(running.first_output(), "up\n");
  const pid_t qemu = std::stoi(running.children());
  ASSERT_EQ(::kill(qemu, 0), 0);
  const int status = running.end(GetParam());
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == GetParam()) << status;
  // A zombie until whoever inherits it reaps it, and gone then.
  const auto stat = "/proc/" + std::to_string(qemu) + "/stat";
  const auto runs = [&] {
    const auto text = read_file(stat).value_or("");
    return !text.empty() && text.find(") Z ") == std::string::npos;
  };
  for (int i = 0; i < 100 && runs(); ++i) std::this_thread::sleep_for(50ms);
  EXPECT_FALSE(runs());
}

INSTANTIATE_TEST_SUITE_P(Signals, Ended, ::testing::Values(SIGKILL, SIGTERM, SIGINT),
                         [](const auto& param) {
                           return std::string(::sigabbrev_np(param.param));
                         });

TEST_F(Boot, CheckTellsTheAcceleratorThatRunUses) {
  const auto checked = strata({"check", "--json"});
  ASSERT_EQ(checked.status, 0) << checked.err;
  STRATA_ASSERT_OK(const auto json, parse_json(checked.out, "check"));
  const auto accelerator = json["accelerator"].get<std::string>();
  EXPECT_THAT(json["accelerator_reason"].get<std::string>(), StartsWith("kvm: "));
  const auto done = strata({"run", kImage, "--", "echo", "auto"});
  EXPECT_EQ(done.status, 0) << done.err;
  EXPECT_EQ(done.out, "auto\n");
  EXPECT_THAT(done.err, StartsWith("strata: accelerator: " + accelerator + " (kvm: "));
}

}  // namespace
}  // namespace strata::vm
