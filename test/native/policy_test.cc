// The batching policy: what a free replica does next.
#include "batching/policy.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <new>

// Everything allocated in this program is counted, to hold the policy to its word.
namespace {
std::size_t allocations = 0;
}
[[gnu::noinline]] void* operator new(std::size_t bytes) {
  ++allocations;
  if (void* memory = std::malloc(bytes)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
  ++allocations;
  return std::malloc(bytes);
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, const std::nothrow_t&) noexcept {
  std::free(memory);
}

namespace millrace {
namespace {

using Action = Decision::Action;
using Takes = std::array<std::size_t, kPriorityClasses>;

constexpr Nanos kMs = kNanosPerMilli;
constexpr Nanos kNow = 1'000 * kMs;

constexpr ClassView kNothing{};

ClassView waiting(std::size_t rows, Nanos age = 0, Nanos left = kNever) {
  return {rows, kNow - age, left == kNever ? kNever : kNow + left};
}

QueueView view(ClassView high, ClassView normal, ClassView low) {
  return {kNow, {high, normal, low}};
}

BatchingLimits limits(std::size_t max_batch, Nanos max_delay = 0) {
  BatchingLimits all;
  all.max_batch = max_batch;
  all.max_delay = max_delay;
  return all;
}

TEST(Policy, IsIdleWhenNothingWaits) {
  EXPECT_EQ(decide(view(kNothing, kNothing, kNothing), limits(8)).action, Action::kIdle);
}

TEST(Policy, TakesWhatWaitsAtOnceWhereThereIsNoDelay) {
  const Decision decision = decide(view(kNothing, waiting(1), kNothing), limits(8));
  EXPECT_EQ(decision.action, Action::kTake);
  EXPECT_EQ(decision.take, (Takes{0, 1, 0}));
}

TEST(Policy, TakesNoMoreThanABatch) {
  EXPECT_EQ(decide(view(kNothing, waiting(20), kNothing), limits(8)).take, (Takes{0, 8, 0}));
}

TEST(Policy, FillsABatchFromTheHighestClassDown) {
  const Decision decision = decide(view(waiting(3), waiting(3), waiting(9)), limits(8));
  EXPECT_EQ(decision.take, (Takes{3, 3, 2}));
  EXPECT_EQ(decision.order[0], 0);
  EXPECT_EQ(decision.order[2], 2);
}

TEST(Policy, LeavesLowerClassesWaitingWhenHigherOnesFillTheBatch) {
  EXPECT_EQ(decide(view(waiting(9), waiting(3), waiting(3)), limits(8)).take, (Takes{8, 0, 0}));
}

TEST(Policy, ServesAClassAsOneHigherForEachAgeingPeriodItsHeadHasWaited) {
  const QueueView after_one = view(kNothing, waiting(8), waiting(8, 150 * kMs));
  EXPECT_EQ(decide(after_one, limits(8)).take, (Takes{0, 8, 0})) << "equals: the higher first";
  const QueueView after_two = view(kNothing, waiting(8), waiting(8, 250 * kMs));
  EXPECT_EQ(decide(after_two, limits(8)).take, (Takes{0, 0, 8}));
}

TEST(Policy, NeverAgesWhereAgeingIsOff) {
  BatchingLimits strict = limits(8);
  strict.ageing = 0;
  EXPECT_EQ(decide(view(waiting(8), kNothing, waiting(8, kNow)), strict).take, (Takes{8, 0, 0}));
}

// A replica that serves one row a millisecond is given a new row of the highest class just as
// often.
TEST(Policy, NeverStarvesTheLowestClass) {
  const BatchingLimits one = limits(1);
  QueueView queue;
  queue.classes[2] = {1, 0, kNever};
  Nanos served_at = kNever;
  for (queue.now = 0; queue.now < 10'000 * kMs && served_at == kNever; queue.now += kMs) {
    queue.classes[0] = {1, queue.now, kNever};
    if (decide(queue, one).take[2] == 1) served_at = queue.now;
  }
  EXPECT_EQ(served_at, 300 * kMs);
}

// The way that is quick where one class waits without a deadline, and the one for all views.
TEST(Policy, DecidesTheSameForOneClassWhicheverWayItTakes) {
  for (std::size_t index = 0; index < kPriorityClasses; ++index) {
    for (const std::size_t rows : {1, 3, 8, 20}) {
      for (const Nanos age : {0 * kMs, 2 * kMs, 3 * kMs, 700 * kMs}) {
        for (const Nanos delay : {0 * kMs, 3 * kMs, kNever}) {
          QueueView one = view(kNothing, kNothing, kNothing);
          one.classes[index] = waiting(rows, age);
          const Decision quick = decide(one, limits(8, delay));
          const Decision full = decide_among(one, limits(8, delay));
          EXPECT_EQ(quick.action, full.action);
          EXPECT_EQ(quick.wait_until, full.wait_until);
          EXPECT_EQ(quick.order, full.order);
          EXPECT_EQ(quick.take, full.take);
        }
      }
    }
  }
}

TEST(Policy, HoldsAnUnfilledBatchBackForItsDelay) {
  const Decision decision = decide(view(kNothing, waiting(3, kMs), kNothing), limits(8, 5 * kMs));
  EXPECT_EQ(decision.action, Action::kWait);
  EXPECT_EQ(decision.wait_until, kNow + 4 * kMs);
}

TEST(Policy, TakesAnUnfilledBatchWhoseDelayIsOver) {
  const Decision decision =
      decide(view(kNothing, waiting(3, 5 * kMs), kNothing), limits(8, 5 * kMs));
  EXPECT_EQ(decision.take, (Takes{0, 3, 0}));
}

TEST(Policy, TakesABatchThatIsFullWhateverTheDelay) {
  const Decision decision = decide(view(waiting(4), waiting(4), kNothing), limits(8, 5 * kMs));
  EXPECT_EQ(decision.take, (Takes{4, 4, 0}));
}

TEST(Policy, CountsTheDelayFromTheOldestRowOfAnyClass) {
  const QueueView queue = view(waiting(1), waiting(1, 3 * kMs), waiting(1, 2 * kMs));
  EXPECT_EQ(decide(queue, limits(8, 5 * kMs)).wait_until, kNow + 2 * kMs);
}

TEST(Policy, HoldsForEverWhereTheDelayIsEndless) {
  const Decision decision = decide(view(kNothing, waiting(3, kMs), kNothing), limits(8, kNever));
  EXPECT_EQ(decision.wait_until, kNever);
}

TEST(Policy, HoldsABatchNoLongerThanHalfOfWhatItsDeadlineLeaves) {
  const QueueView queue = view(kNothing, waiting(3, 0, 10 * kMs), kNothing);
  EXPECT_EQ(decide(queue, limits(8, 50 * kMs)).wait_until, kNow + 5 * kMs);
  EXPECT_EQ(decide(queue, limits(8, 2 * kMs)).wait_until, kNow + 2 * kMs);
}

TEST(Policy, LeavesTimeForTheBatchItHoldsBack) {
  const LatencyTable latency({{1, 4 * kMs}, {8, 4 * kMs}});
  BatchingLimits known = limits(8, 50 * kMs);
  known.latency = &latency;
  const QueueView queue = view(kNothing, waiting(3, 0, 10 * kMs), kNothing);
  EXPECT_EQ(decide(queue, known).wait_until, kNow + 3 * kMs);
  const QueueView tight = view(kNothing, waiting(3, 0, 4 * kMs), kNothing);
  EXPECT_EQ(decide(tight, known).action, Action::kTake);
}

TEST(Policy, HoldsByTheTightestDeadlineOfTheHeads) {
  const QueueView queue = view(waiting(1), waiting(1, 0, 30 * kMs), waiting(1, 0, 8 * kMs));
  EXPECT_EQ(decide(queue, limits(8, 50 * kMs)).wait_until, kNow + 4 * kMs);
}

// A held row always starts while there is time left, or holding would shed it.
TEST(Policy, NeverHoldsARowUntilItIsTooLate) {
  const LatencyTable latency({{1, 3 * kMs}, {8, 10 * kMs}});
  for (const LatencyTable* table : {static_cast<const LatencyTable*>(nullptr), &latency}) {
    for (Nanos left = 1; left < 60 * kMs; left += kMs / 3) {
      BatchingLimits held = limits(8, 40 * kMs);
      held.latency = table;
      QueueView queue = view(kNothing, waiting(1, 0, left), kNothing);
      if (judge(queue.now, {kNow + left}, 1, held) == Verdict::kShed) continue;
      const Decision decision = decide(queue, held);
      if (decision.action == Action::kTake) continue;
      EXPECT_EQ(judge(decision.wait_until, {kNow + left}, 1, held), Verdict::kRun) << left;
      queue.now = decision.wait_until;
      EXPECT_EQ(decide(queue, held).action, Action::kTake);
    }
  }
}

struct DeadlineCase {
  Nanos left;
  std::size_t taken;
};

// One row takes 1 ms, each more of them another; a quarter more is to be left.
TEST(Policy, KeepsABatchSmallEnoughForTheHeadsDeadline) {
  const LatencyTable latency({{1, kMs}, {8, 8 * kMs}});
  BatchingLimits known = limits(8);
  known.latency = &latency;
  for (const DeadlineCase& one : {DeadlineCase{11 * kMs, 8},
                                  {10 * kMs + 1, 8},
                                  {10 * kMs, 7},
                                  {35 * kMs / 4, 6},
                                  {15 * kMs / 4 + 1, 3},
                                  {kMs + 1, 1}}) {
    const Decision decision = decide(view(kNothing, waiting(20, 0, one.left), kNothing), known);
    EXPECT_EQ(decision.take[1], one.taken) << one.left;
  }
}

TEST(Policy, TakesAFullBatchWhenItsHeadIsBeyondSaving) {
  const LatencyTable latency({{1, kMs}, {8, 8 * kMs}});
  BatchingLimits known = limits(8);
  known.latency = &latency;
  EXPECT_EQ(decide(view(kNothing, waiting(20, 0, kMs), kNothing), known).take[1], 8u);
  EXPECT_EQ(decide(view(kNothing, waiting(20, 0, -kMs), kNothing), known).take[1], 8u);
}

TEST(Policy, RunsARowWithoutADeadline) {
  EXPECT_EQ(judge(kNow, {kNever}, 1, limits(8)), Verdict::kRun);
}

TEST(Policy, ShedsARowWhoseDeadlineHasCome) {
  EXPECT_EQ(judge(kNow, {kNow + 1}, 1, limits(8)), Verdict::kRun);
  EXPECT_EQ(judge(kNow, {kNow}, 1, limits(8)), Verdict::kShed);
  EXPECT_EQ(judge(kNow, {kNow - 1}, 1, limits(8)), Verdict::kShed);
}

TEST(Policy, ShedsARowThatCouldNotEvenRunAlone) {
  const LatencyTable latency({{1, kMs}, {8, 8 * kMs}});
  BatchingLimits known = limits(8);
  known.latency = &latency;
  EXPECT_EQ(judge(kNow, {kNow + kMs + 1}, 1, known), Verdict::kRun);
  EXPECT_EQ(judge(kNow, {kNow + kMs}, 1, known), Verdict::kShed);
}

// Batches of 1 take 5 ms, of 8 only 8: batching is worth something.
const LatencyTable kWorthBatching({{1, 5 * kMs}, {8, 8 * kMs}});

BatchingLimits worth_batching() {
  BatchingLimits known = limits(8);
  known.latency = &kWorthBatching;
  return known;
}

struct BacklogCase {
  const char* what;
  std::size_t waiting;
  Nanos left;
  std::size_t taken;
};

TEST(Policy, ShrinksABatchForItsHeadOnlyWhereNoBacklogPaysForIt) {
  for (const BacklogCase& one : {BacklogCase{"a head with time, a backlog", 20, 11 * kMs, 8},
                                 {"a tight head, a backlog", 20, 15 * kMs / 2, 8},
                                 {"a tight head, one row more than a batch", 9, 15 * kMs / 2, 8},
                                 {"a tight head, a batch exactly", 8, 15 * kMs / 2, 3},
                                 {"a tight head, few rows", 4, 15 * kMs / 2, 3},
                                 {"a slightly tight head, a backlog", 20, 10 * kMs, 7},
                                 {"a head beyond saving, few rows", 4, 5 * kMs, 4}}) {
    const Decision decision =
        decide(view(kNothing, waiting(one.waiting, 0, one.left), kNothing), worth_batching());
    EXPECT_EQ(decision.take[1], one.taken) << one.what;
  }
}

TEST(Policy, LeavesTimeForTheStagesAfterThisOne) {
  BatchingLimits known = worth_batching();
  known.rest = {0, 3 * kMs, 0};
  const QueueView queue = view(kNothing, waiting(4, 0, 21 * kMs / 2), kNothing);
  EXPECT_EQ(decide(queue, worth_batching()).take[1], 4u);
  EXPECT_EQ(decide(queue, known).take[1], 3u);
  const QueueView other = view(waiting(4, 0, 9 * kMs), kNothing, kNothing);
  EXPECT_EQ(decide(other, known).take[0], 4u) << "another class has another rest";
  known.max_delay = 50 * kMs;
  EXPECT_EQ(decide(view(kNothing, waiting(1, 0, 18 * kMs), kNothing), known).wait_until,
            kNow + 5 * kMs)
      << "half of 18 - 5 - 3";
}

struct VerdictCase {
  Nanos left;
  std::size_t batch;
  Nanos rest;
  Verdict verdict;
};

TEST(Policy, JudgesARowByItsBatchAndWhatComesAfter) {
  for (const VerdictCase& one : {VerdictCase{8 * kMs + 1, 8, 0, Verdict::kRun},
                                 {8 * kMs, 8, 0, Verdict::kShed},
                                 {8 * kMs, 1, 0, Verdict::kRun},
                                 {8 * kMs, 1, 3 * kMs, Verdict::kShed},
                                 {11 * kMs + 1, 8, 3 * kMs, Verdict::kRun},
                                 {kNever - kNow, 8, 3 * kMs, Verdict::kRun}}) {
    BatchingLimits known = worth_batching();
    known.rest[2] = one.rest;
    EXPECT_EQ(judge(kNow, {kNow + one.left, 2}, one.batch, known), one.verdict)
        << one.left << " left, a batch of " << one.batch;
  }
}

TEST(Policy, AllocatesNothing) {
  const LatencyTable latency({{1, kMs}, {8, 8 * kMs}});
  BatchingLimits known = limits(8, 5 * kMs);
  known.latency = &latency;
  const QueueView queue = view(waiting(9, kMs, 9 * kMs), waiting(2), waiting(3, 250 * kMs));
  const std::size_t before = allocations;
  const Decision decision = decide(queue, known);
  const Verdict verdict = judge(kNow, {kNow + kMs}, 1, known);
  const std::size_t after = allocations;
  EXPECT_EQ(after, before);
  EXPECT_EQ(decision.action, Action::kTake);
  EXPECT_EQ(verdict, Verdict::kShed);
}

}  // namespace
}  // namespace millrace
