// The policy over lanes: which of them a free replica serves.
#include "batching/lanes.h"

#include <gtest/gtest.h>

#include <vector>

namespace millrace {
namespace {

using Action = Decision::Action;

constexpr Nanos kMs = kNanosPerMilli;
constexpr Nanos kNow = 10'000 * kMs;

struct Waiting {
  std::size_t priority;
  std::size_t rows;
  Nanos age;
  Nanos left = kNever;
};

QueueView lane(const std::vector<Waiting>& classes) {
  QueueView view;
  view.now = kNow;
  for (const Waiting& one : classes) {
    view.classes[one.priority] = {one.rows, kNow - one.age,
                                  one.left == kNever ? kNever : kNow + one.left};
  }
  return view;
}

BatchingLimits limits(Nanos max_delay = 0) {
  BatchingLimits all;
  all.max_batch = 8;
  all.max_delay = max_delay;
  return all;
}

TEST(Lanes, AreIdleWhereNothingWaits) {
  EXPECT_EQ(choose({}, limits()).decision.action, Action::kIdle);
  const std::vector<QueueView> empty{lane({}), lane({})};
  EXPECT_EQ(choose(empty, limits()).decision.action, Action::kIdle);
}

TEST(Lanes, DecideAsTheirOnlyOneDoes) {
  const std::vector<QueueView> one{lane({{0, 3, kMs}, {2, 9, 2 * kMs}})};
  const LaneDecision chosen = choose(one, limits());
  const Decision alone = decide(one[0], limits());
  EXPECT_EQ(chosen.lane, 0u);
  EXPECT_EQ(chosen.decision.take, alone.take);
  EXPECT_EQ(chosen.decision.order, alone.order);
}

struct Case {
  const char* what;
  std::vector<QueueView> lanes;
  std::size_t chosen;
};

TEST(Lanes, ServeTheOneWhoseFirstRowComesFirst) {
  const std::vector<Case> cases{
      {"the only one with rows", {lane({}), lane({{1, 1, 0}}), lane({})}, 1},
      {"the oldest of a class", {lane({{1, 8, kMs}}), lane({{1, 1, 2 * kMs}})}, 1},
      {"the first of equals", {lane({{1, 1, kMs}}), lane({{1, 8, kMs}})}, 0},
      {"the higher class, however young", {lane({{1, 8, 50 * kMs}}), lane({{0, 1, 0}})}, 1},
      {"by its highest class",
       {lane({{1, 8, 9 * kMs}}), lane({{0, 1, 0}, {2, 8, 0}}), lane({{2, 8, 50 * kMs}})},
       1},
      {"a lower class that has aged", {lane({{0, 8, 0}}), lane({{2, 1, 310 * kMs}})}, 1},
      {"of classes served as equals, the oldest",
       {lane({{0, 8, 5 * kMs}}), lane({{1, 1, 110 * kMs}})},
       1},
  };
  for (const Case& one : cases) {
    const LaneDecision chosen = choose(one.lanes, limits());
    EXPECT_EQ(chosen.decision.action, Action::kTake) << one.what;
    EXPECT_EQ(chosen.lane, one.chosen) << one.what;
  }
}

TEST(Lanes, ThatWaitForMoreKeepNoOtherFromBeingServed) {
  const std::vector<QueueView> lanes{lane({{1, 1, 2 * kMs}}), lane({{1, 8, kMs}}),
                                     lane({{0, 1, 3 * kMs}})};
  const LaneDecision chosen = choose(lanes, limits(5 * kMs));
  EXPECT_EQ(chosen.decision.action, Action::kTake);
  EXPECT_EQ(chosen.lane, 1u) << "the full one";
}

TEST(Lanes, AreWokenForTheFirstThatEndsItsWait) {
  const std::vector<QueueView> lanes{lane({{1, 1, kMs}}), lane({}), lane({{2, 3, 4 * kMs}}),
                                     lane({{1, 1, 2 * kMs}})};
  const LaneDecision chosen = choose(lanes, limits(5 * kMs));
  EXPECT_EQ(chosen.decision.action, Action::kWait);
  EXPECT_EQ(chosen.decision.wait_until, kNow + kMs);
}

// One lane is refilled with high class rows before each batch; a row of another waits.
TEST(Lanes, NeverStarveARareShape) {
  std::vector<QueueView> lanes{lane({}), lane({})};
  lanes[1].classes[2] = {1, 0, kNever};
  Nanos served_at = kNever;
  for (Nanos now = 0; now < 10'000 * kMs && served_at == kNever; now += kMs) {
    lanes[0].now = lanes[1].now = now;
    lanes[0].classes[0] = {100, now, kNever};
    if (choose(lanes, limits()).lane == 1) served_at = now;
  }
  EXPECT_EQ(served_at, 200 * kMs) << "as soon as it counts as one of the highest class";
}

// Eight lanes, one of which gets most of the rows: all are served in turn, and full.
TEST(Lanes, TakeTurnsUnderABacklogAndFillMeanwhile) {
  std::vector<QueueView> lanes(8, lane({}));
  std::vector<std::size_t> served(8, 0);
  std::size_t rows = 0;
  std::size_t batches = 0;
  for (std::size_t i = 0; i < lanes.size(); ++i) lanes[i].classes[1] = {8, 0, kNever};
  for (Nanos now = kMs; now < 2'000 * kMs; now += kMs) {
    for (QueueView& one : lanes) one.now = now;
    const LaneDecision chosen = choose(lanes, limits());
    ClassView& taken = lanes[chosen.lane].classes[1];
    rows += chosen.decision.take[1];
    ++batches;
    ++served[chosen.lane];
    taken.waiting -= chosen.decision.take[1];
    taken.oldest_enqueued = now;
    for (std::size_t i = 0; i < lanes.size(); ++i) lanes[i].classes[1].waiting += i == 0 ? 9 : 1;
  }
  EXPECT_EQ(rows, 8 * batches);
  for (const std::size_t turns : served) EXPECT_GT(turns, batches / 16);
}

}  // namespace
}  // namespace millrace
