// Parking: who wakes whom, deadlines, and no wake-up lost between real threads.
#include "queue/event_count.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "deterministic.h"
#include "queue/spinner.h"

namespace millrace {
namespace {

constexpr Nanos kLongNs = 10'000 * kNanosPerMilli;  // never reached unless a wake-up is lost

Nanos in(Nanos delay_ns) {
  return SteadyClock().now() + delay_ns;
}

TEST(EventCount, ReturnsAtOnceWhenNotifiedBetweenPrepareAndWait) {
  EventCount events;
  const auto key = events.prepare_wait();
  events.notify_one();
  EXPECT_TRUE(events.wait(key, kNever));
}

TEST(EventCount, ReturnsFalseWhenTheDeadlinePasses) {
  EventCount events;
  const Nanos deadline = in(5 * kNanosPerMilli);
  EXPECT_FALSE(events.wait(events.prepare_wait(), deadline));
  EXPECT_GE(SteadyClock().now(), deadline);
}

TEST(EventCount, ReturnsFalseAtOnceForADeadlineInThePast) {
  EventCount events;
  EXPECT_FALSE(events.wait(events.prepare_wait(), 0));
  EXPECT_FALSE(events.wait(events.prepare_wait(), -kNever));
}

TEST(EventCount, ForgetsAWaiterThatCancels) {
  EventCount events;
  (void)events.prepare_wait();
  events.cancel_wait();
  events.notify_one();  // meets nobody, and so is not remembered
  EXPECT_FALSE(events.wait(events.prepare_wait(), in(kNanosPerMilli)));
}

TEST(EventCount, DoesNotRememberANotificationThatMetNobody) {
  EventCount events;
  events.notify_all();
  EXPECT_FALSE(events.wait(events.prepare_wait(), in(kNanosPerMilli)));
}

TEST(EventCount, WakesEveryoneOnNotifyAll) {
  EventCount events;
  std::atomic<bool> open{false};
  std::atomic<int> late{0};
  std::vector<std::thread> sleepers;
  sleepers.reserve(3);
  for (int i = 0; i < 3; ++i) {
    sleepers.emplace_back([&] {
      while (!open.load()) {
        const auto key = events.prepare_wait();
        if (open.load()) return events.cancel_wait();
        if (!events.wait(key, in(kLongNs))) late.fetch_add(1);
      }
    });
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  open.store(true);
  events.notify_all();
  for (std::thread& sleeper : sleepers) sleeper.join();
  EXPECT_EQ(late.load(), 0);
}

// Tokens, produced and taken one by one; relaxed on purpose, so that all ordering is the event
// count's.
class Tokens {
 public:
  static constexpr int kPerProducer = 20'000 / det::kSeedDivisor;
  static constexpr int kTotal = 2 * kPerProducer;

  void produce() {
    for (int i = 0; i < kPerProducer; ++i) {
      available_.fetch_add(1, std::memory_order_relaxed);
      events_.notify_one();
      if (i % 64 == 0) std::this_thread::yield();  // let the consumers run dry
    }
  }

  void consume() {
    while (taken_.load() < kTotal) {
      if (take()) continue;
      const auto key = events_.prepare_wait();
      if (taken_.load() == kTotal || available_.load(std::memory_order_relaxed) > 0) {
        events_.cancel_wait();
      } else if (!events_.wait(key, in(kLongNs))) {
        lost_.fetch_add(1);
      }
    }
  }

  int lost() const { return lost_.load(); }

 private:
  bool take() {
    int available = available_.load(std::memory_order_relaxed);
    while (available > 0 && !available_.compare_exchange_weak(available, available - 1)) {
    }
    if (available == 0) return false;
    if (taken_.fetch_add(1) + 1 == kTotal) events_.notify_all();
    return true;
  }

  EventCount events_;
  std::atomic<int> available_{0};
  std::atomic<int> taken_{0};
  std::atomic<int> lost_{0};
};

TEST(EventCount, LosesNoWakeUpBetweenRealThreads) {
  Tokens tokens;
  std::vector<std::thread> threads;
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back([&] { tokens.produce(); });
    threads.emplace_back([&] { tokens.consume(); });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(tokens.lost(), 0);
}

// Advances by a microsecond at every look.
class TickingClock final : public Clock {
 public:
  Nanos now() const override { return now_ += 1'000; }

 private:
  mutable Nanos now_ = 0;
};

TEST(Spinner, SucceedsWithoutSpinningWhenReady) {
  const TickingClock clock;
  EXPECT_TRUE(Spinner(clock, 0).spin_until([] { return true; }));
}

TEST(Spinner, NeverSpinsWithoutABudget) {
  const TickingClock clock;
  Spinner spinner(clock, 0);
  int looks = 0;
  EXPECT_FALSE(spinner.spin_until([&] { return ++looks > 1; }));
  EXPECT_EQ(looks, 1);
}

TEST(Spinner, GivesUpWhenTheBudgetIsSpent) {
  const TickingClock clock;
  Spinner spinner(clock, 4'000);
  EXPECT_FALSE(spinner.spin_until([] { return false; }));
}

// Waits in vain, then sleeps for so long.
void wait_and_sleep(Spinner& spinner, Nanos slept_ns, int times) {
  for (int i = 0; i < times; ++i) {
    EXPECT_FALSE(spinner.spin_until([] { return false; }));
    spinner.slept(slept_ns);
  }
}

TEST(Spinner, StopsSpinningWhileWaitsAreLong) {
  const TickingClock clock;
  Spinner spinner(clock, 16'000);
  wait_and_sleep(spinner, 50'000, 20);
  EXPECT_FALSE(spinner.pays());
  int looks = 0;
  EXPECT_FALSE(spinner.spin_until([&] { return ++looks > 1; }));
  EXPECT_EQ(looks, 1);
}

TEST(Spinner, SpinsAgainOnceSleepsTurnOutShort) {
  const TickingClock clock;
  Spinner spinner(clock, 16'000);
  wait_and_sleep(spinner, 50'000, 20);
  ASSERT_FALSE(spinner.pays());
  wait_and_sleep(spinner, 10'000, 12);
  EXPECT_TRUE(spinner.pays());
}

TEST(Spinner, GoesOnSpinningWhileSpinsSucceed) {
  const TickingClock clock;
  Spinner spinner(clock, 16'000);
  for (int i = 0; i < 100; ++i) {
    int looks = 0;
    EXPECT_TRUE(spinner.spin_until([&] { return ++looks > 3; }));
  }
  EXPECT_TRUE(spinner.pays());
}

}  // namespace
}  // namespace millrace
