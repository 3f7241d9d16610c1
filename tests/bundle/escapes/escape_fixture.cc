#include "tests/bundle/escapes/escape_fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <sstream>

#include "unionfs/base/file.h"

namespace strata::bundle {

namespace fs = std::filesystem;

void EscapeTest::SetUp() {
  OciTest::SetUp();
  if (IsSkipped() || HasFatalFailure()) return;
  temp_.write("host/canary", kSecret);
  fs::copy_file(STRATA_INTRUDER, rootfs_ / "intruder");
  program_ = temp_ / "strata-oci";
  fs::copy_file(testing::own_program("strata-oci"), program_);
}

void EscapeTest::TearDown() {
  OciTest::TearDown();
  if (!fs::exists(canary_)) return;
  EXPECT_EQ(read_file(canary_).value_or("?"), kSecret);
  EXPECT_EQ(std::distance(fs::directory_iterator(host_), {}), 1) << "something was made there";
  EXPECT_TRUE(read_file(program_).value_or("?") ==
              read_file(testing::own_program("strata-oci")).value_or(""))
      << "the runtime was overwritten";
}

void EscapeTest::plant_absolute_link(const fs::path& link) const {
  fs::create_directory_symlink(host_, link);
}

std::string EscapeTest::way_up_to_canary() const {
  return "../../../../../../../../../../../.." + canary_.string();
}

void EscapeTest::start_watcher(const std::function<void(Json&)>& change) {
  const auto lifeline = rootfs_ / "tmp/lifeline";
  ASSERT_EQ(::mkfifo(lifeline.c_str(), S_IRUSR | S_IWUSR), 0);
  auto opened = open_file(lifeline, O_RDWR);
  ASSERT_TRUE(opened);
  lifeline_ = *std::move(opened);
  write_config({"/intruder", "watch", canary_}, change);
  ok({"run", "-d", "watcher"});
  watcher_output_ = last_output();
  wait_for("the watcher",
           [&] { return read_file(watcher_output_).value_or("").starts_with("watching"); });
}

std::string EscapeTest::stop_watcher() {
  lifeline_.reset();
  wait_stopped("watcher");
  ok({"delete", "watcher"});
  fs::remove(rootfs_ / "tmp/lifeline");
  std::string reached;
  std::istringstream lines(read_file(watcher_output_).value_or(""));
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with("reached") && reached.find(line) == std::string::npos)
      reached += line + "\n";
  return reached;
}

Swapper::Swapper(const fs::path& a, const fs::path& b) : pid_(::fork()) {
  if (pid_ != 0) return;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::close_range(3, ~0U, 0);  // the watcher's lifeline among them
  for (;;) ::renameat2(AT_FDCWD, a.c_str(), AT_FDCWD, b.c_str(), RENAME_EXCHANGE);
}

Swapper::~Swapper() {
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

}  // namespace strata::bundle
