#include "model/device_turns.h"

#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <latch>
#include <thread>
#include <vector>

namespace millrace {
namespace {

TEST(DeviceTurnsTest, AreOneAtATimeAndInTheOrderOfAsking) {
  TurnLine line;
  ASSERT_TRUE(line.enter({}));
  std::vector<int> order;
  std::vector<std::thread> threads;
  std::deque<std::latch> latches;
  for (int number = 0; number < 4; ++number) {
    std::latch& asking = latches.emplace_back(1);
    threads.emplace_back([&line, &order, &asking, number] {
      // Looked at under the lock of the line, and so only once this thread stands in it.
      bool looked = false;
      const bool mine = line.enter([&] {
        if (!looked) asking.count_down();
        looked = true;
        return false;
      });
      if (mine) order.push_back(number);
      line.leave();
    });
    asking.wait();
  }
  line.leave();
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3}));
}

TEST(DeviceTurnsTest, AreGivenUpWhileSomebodyElseHasHis) {
  TurnLine line;
  ASSERT_TRUE(line.enter({}));
  std::atomic<bool> given_up = false;
  std::latch waiting(1);
  std::thread leaves([&] {
    bool looked = false;
    EXPECT_FALSE(line.enter([&] {
      if (!looked) waiting.count_down();
      looked = true;
      return given_up.load();
    }));
  });
  waiting.wait();
  given_up = true;
  line.wake();
  leaves.join();
  line.leave();
  EXPECT_TRUE(line.enter({}));  // nobody is left in it
  line.leave();
}

TEST(DeviceTurnsTest, DoNotEndWithTheGivenUpOnesOthersWait) {
  TurnLine line;
  ASSERT_TRUE(line.enter([] { return true; }));  // its turn at once: nothing to give up
  std::latch waiting(1);
  std::atomic<bool> served = false;
  std::thread waits([&] {
    bool looked = false;
    EXPECT_TRUE(line.enter([&] {
      if (!looked) waiting.count_down();
      looked = true;
      return false;
    }));
    served = true;
    line.leave();
  });
  waiting.wait();
  std::thread([&line] { EXPECT_FALSE(line.enter([] { return true; })); }).join();
  EXPECT_FALSE(served);
  line.leave();
  waits.join();
  EXPECT_TRUE(served);
}

TEST(DeviceTurnsTest, AreForWebGpuAlone) {
  EXPECT_EQ(DeviceTurn::line_of(ProviderKind::kCpu), nullptr);
  EXPECT_EQ(DeviceTurn::line_of(ProviderKind::kCuda), nullptr);
  EXPECT_EQ(DeviceTurn::line_of(ProviderKind::kTensorRt), nullptr);
  ASSERT_NE(DeviceTurn::line_of(ProviderKind::kWebGpu), nullptr);
  { const DeviceTurn turn = DeviceTurn::take(ProviderKind::kWebGpu); }
  const DeviceTurn again = DeviceTurn::take(ProviderKind::kWebGpu);
  const DeviceTurn first = DeviceTurn::take(ProviderKind::kCpu);
  const DeviceTurn second = DeviceTurn::take(ProviderKind::kCpu);
}

}  // namespace
}  // namespace millrace
