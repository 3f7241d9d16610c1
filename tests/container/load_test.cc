// Many layers, many containers at once.

#include <algorithm>
#include <filesystem>
#include <set>
#include <thread>

#include "runtime/container/container.h"
#include "tests/container/program_fixture.h"
#include "tests/support/matchers.h"

namespace strata::container {
namespace {

class Load : public ProgramTest {};

TEST_F(Load, AHundredLayers) {
  constexpr int kLayers = 99;
  const auto content = (dir_ / "content").string();
  std::filesystem::create_directory(content);
  for (int i = 1; i <= kLayers; ++i) {
    const std::string base = i == 1 ? "debian" : "deep:" + std::to_string(i - 1);
    dir_.write("content/last", std::to_string(i) + "\n");
    dir_.write("content/layer-" + std::to_string(i), "");
    const auto made = testing::run({"sh", "-c",
                                    "tar -C \"$1\" -c . | \"$2\" --root \"$3\" import "
                                    "--compression none --base \"$4\" - \"$5\"",
                                    "sh", content, testing::own_program("strata"), root().string(),
                                    base, "deep:" + std::to_string(i)});
    ASSERT_EQ(made.status, 0) << made.err;
    std::filesystem::remove(dir_ / ("content/layer-" + std::to_string(i)));
  }
  const std::string image = "deep:" + std::to_string(kLayers);
  EXPECT_EQ(inspect(image)["layers"].size(), kLayers + 1U);
  EXPECT_EQ(
      ok({"run", "--rm", image, "sh", "-c", "cat /last; ls -d /layer-* | wc -l; echo x > /last"}),
      std::to_string(kLayers) + "\n" + std::to_string(kLayers));
}

TEST_F(Load, StartsInParallel) {
  constexpr int kContainers = 12;
  std::vector<std::thread> threads;
  std::vector<Completed> done(kContainers);
  for (int i = 0; i < kContainers; ++i)
    threads.emplace_back([&, i] {
      done[static_cast<size_t>(i)] =
          strata({"run", "--rm", "debian", "sh", "-c",
                  "echo " + std::to_string(i) + "; hostname; exit " + std::to_string(i)});
    });
  for (auto& thread : threads) thread.join();
  std::set<std::string> names;
  for (int i = 0; i < kContainers; ++i) {
    const auto& one = done[static_cast<size_t>(i)];
    EXPECT_EQ(one.status, i) << one.err;
    EXPECT_TRUE(one.out.starts_with(std::to_string(i) + "\n")) << one.out;
    names.insert(one.out.substr(one.out.find('\n')));
  }
  EXPECT_EQ(names.size(), static_cast<size_t>(kContainers));
}

TEST_F(Load, OneNameIsTakenByOneOfMany) {
  constexpr int kContainers = 8;
  std::vector<std::thread> threads;
  std::vector<int> status(kContainers);
  for (int i = 0; i < kContainers; ++i)
    threads.emplace_back([&, i] {
      status[static_cast<size_t>(i)] =
          strata({"create", "--name", "only", "debian", "true"}).status;
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(std::count(status.begin(), status.end(), 0), 1);
  EXPECT_EQ(std::count(status.begin(), status.end(), 125), kContainers - 1);
  EXPECT_EQ(ok({"ps", "-aq"}).size(), 64U);
}

TEST_F(Load, OneStartOfManyWins) {
  constexpr int kStarts = 6;
  ok({"create", "--name", "one", "debian", "sleep", "60"});
  std::vector<std::thread> threads;
  std::vector<int> status(kStarts);
  for (int i = 0; i < kStarts; ++i)
    threads.emplace_back([&, i] {
      status[static_cast<size_t>(i)] = strata({"start", "one"}).status;
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(std::count(status.begin(), status.end(), 0), 1);
}

TEST_F(Load, AMonitorIsSmall) {
  ok({"run", "-d", "--name", "web", "debian", "sh", "-c", "echo up; sleep 60"});
  wait_for("the container", [&] { return ok({"logs", "web"}) == "up"; });
  const auto store = image::Store::open(root());
  ASSERT_THAT(store, testing::IsOk());
  const auto container = Container::find(*store, "web");
  ASSERT_THAT(container, testing::IsOk());
  const auto pid = std::to_string(container->state()->monitor.pid);
  const auto done =
      testing::run({"awk", "/^Private_Dirty/ { print $2 }", "/proc/" + pid + "/smaps_rollup"});
#ifndef STRATA_SANITIZE
  EXPECT_LT(std::stoi(done.out), 512) << "kB of its own";
#endif
}

}  // namespace
}  // namespace strata::container
