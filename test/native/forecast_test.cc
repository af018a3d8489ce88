// What a row that comes now has before it.
#include "batching/forecast.h"

#include <gtest/gtest.h>

namespace millrace {
namespace {

constexpr Nanos kMs = kNanosPerMilli;
constexpr std::size_t kNormal = 1;

// One replica, idle; batches of 1 take 2 ms, of 8 10 ms.
StageSituation stage() {
  StageSituation one;
  one.replicas = 1;
  one.max_batch = 8;
  one.free_in = {0};
  one.latency = LatencyTable({{1, 2 * kMs}, {8, 10 * kMs}});
  return one;
}

StageSituation busy(std::vector<Nanos> free_in, std::size_t waiting = 0) {
  StageSituation one = stage();
  one.replicas = free_in.size();
  one.free_in = std::move(free_in);
  one.waiting[kNormal] = waiting;
  return one;
}

struct StartCase {
  const char* what;
  std::vector<Nanos> free_in;
  std::size_t ahead;
  Nanos start;
};

TEST(Forecast, TellsWhenABatchStarts) {
  const std::vector<StartCase> cases{
      {"nothing else there", {0}, 0, 0},
      {"the replica is busy", {3 * kMs}, 0, 3 * kMs},
      {"there is room in the next batch", {3 * kMs}, 7, 3 * kMs},
      {"the next batch is full", {3 * kMs}, 8, 13 * kMs},
      {"two batches ahead", {3 * kMs}, 17, 23 * kMs},
      {"another replica is idle", {0, 3 * kMs}, 0, 0},
      {"another replica takes the first batch", {0, 3 * kMs}, 8, 3 * kMs},
      {"the first replica comes round again", {0, 3 * kMs}, 16, 10 * kMs},
      {"and the second", {0, 3 * kMs}, 24, 13 * kMs},
  };
  for (const StartCase& one : cases) {
    EXPECT_EQ(time_to_start(busy(one.free_in), one.ahead), one.start) << one.what;
  }
}

TEST(Forecast, GoesByTheRateWhereNotAllReplicasAreWatched) {
  StageSituation many = busy({kMs, 2 * kMs});
  many.replicas = 10;
  EXPECT_EQ(time_to_start(many, 0), kMs);
  EXPECT_EQ(time_to_start(many, 80), 11 * kMs);
  many.free_in.clear();
  EXPECT_EQ(time_to_start(many, 80), 10 * kMs);
}

TEST(Forecast, KnowsNoWaitWhereNothingWasMeasuredOrNobodyServes) {
  StageSituation unmeasured = busy({5 * kMs}, 100);
  unmeasured.latency = {};
  EXPECT_EQ(time_to_start(unmeasured, 100), 0);
  EXPECT_EQ(chance_of(prospect_of({1, kNormal}, unmeasured, {}), 1), Chance::kGood);
  StageSituation unserved = busy({}, 100);
  EXPECT_EQ(time_to_start(unserved, 100), 0);
  EXPECT_EQ(chance_of(prospect_of({1, kNormal}, unserved, {}), 1), Chance::kGood);
}

TEST(Forecast, CountsRowsOfTheOwnClassAndAboveAsAhead) {
  StageSituation one = stage();
  one.waiting = {1, 20, 300};
  EXPECT_EQ(rows_ahead(one, 0), 1u);
  EXPECT_EQ(rows_ahead(one, 1), 21u);
  EXPECT_EQ(rows_ahead(one, 2), 321u);
}

struct ChanceCase {
  const char* what;
  StageSituation stage;
  std::size_t rows;
  Spell rest;
  Nanos left;
  Chance chance;
};

TEST(Forecast, AdmitsWhatHasAChance) {
  const std::vector<ChanceCase> cases{
      {"alone, with time", stage(), 1, {}, 2 * kMs + 1, Chance::kGood},
      {"alone, without", stage(), 1, {}, 2 * kMs, Chance::kTooLittle},
      {"a batch of its own, with time", stage(), 8, {}, 10 * kMs + 1, Chance::kGood},
      {"two batches of its own", stage(), 16, {}, 20 * kMs, Chance::kTooLittle},
      {"two batches of its own, with time", stage(), 16, {}, 23 * kMs, Chance::kGood},
      {"a busy replica", busy({4 * kMs}), 1, {}, 7 * kMs, Chance::kTooBusy},
      {"a busy replica, with a margin", busy({4 * kMs}), 1, {}, 7 * kMs + 1, Chance::kGood},
      {"a queue", busy({0}, 8), 1, {}, 22 * kMs, Chance::kTooBusy},
      {"a queue, with time", busy({0}, 8), 1, {}, 23 * kMs, Chance::kGood},
      {"work in later stages", stage(), 1, {0, 5 * kMs}, 7 * kMs, Chance::kTooLittle},
      {"queues in later stages", stage(), 1, {4 * kMs, 5 * kMs}, 11 * kMs, Chance::kTooBusy},
      {"time for them too", stage(), 1, {4 * kMs, 5 * kMs}, 13 * kMs, Chance::kGood},
  };
  for (const ChanceCase& one : cases) {
    const Prospect prospect = prospect_of({one.rows, kNormal}, one.stage, one.rest);
    EXPECT_EQ(chance_of(prospect, one.left), one.chance) << one.what;
  }
}

// Waiting as long as it was told, a client finds that much less before it.
TEST(Forecast, TellsWhenThereWillBeAChance) {
  const Prospect crowded = prospect_of({1, kNormal}, busy({6 * kMs}, 16), {});
  const Nanos left = 20 * kMs;
  ASSERT_EQ(chance_of(crowded, left), Chance::kTooBusy);
  Prospect later = crowded;
  later.expected.wait -= time_to_chance(crowded, left);
  EXPECT_EQ(chance_of(later, left), Chance::kGood);
}

TEST(Forecast, AddsUpTheLongestWayThatIsCertain) {
  // 0 -> 1 -> 3, 0 -> 2 -> 3; 16 rows wait for stage 2.
  std::vector<StageSituation> stages(4, stage());
  stages[2].waiting[kNormal] = 16;
  const std::vector<std::vector<std::uint32_t>> next{{1, 2}, {3}, {3}, {}};
  std::vector<SpellByClass> rest(4);
  look_ahead(stages, next, rest);
  EXPECT_EQ(rest[3][kNormal].total(), 0);
  EXPECT_EQ(rest[1][kNormal].service, 2 * kMs);
  EXPECT_EQ(rest[1][kNormal].wait, 0);
  EXPECT_EQ(rest[0][kNormal].wait, 20 * kMs) << "two full batches";
  EXPECT_GT(rest[0][kNormal].service, 12 * kMs - 1) << "a full batch there, and the last stage";
  EXPECT_EQ(rest[0][0].wait, 0) << "a higher class passes them";
}

TEST(Forecast, LetsRowsTravelTogether) {
  std::vector<StageSituation> stages(2, stage());
  stages[0].waiting[kNormal] = 8;
  std::vector<SpellByClass> rest(2);
  look_ahead(stages, std::vector<std::vector<std::uint32_t>>{{1}, {}}, rest);
  EXPECT_EQ(rest[0][kNormal].service, 10 * kMs);
}

TEST(Forecast, TellsWhenThereWillBeRoom) {
  std::vector<StageSituation> stages{busy({4 * kMs}, 2), busy({6 * kMs}, 20)};
  EXPECT_EQ(time_to_room(stages, 1), 6 * kMs) << "of the most crowded stage";
  EXPECT_EQ(time_to_room(stages, 9), 16 * kMs);
  stages[1].latency = {};
  EXPECT_FALSE(time_to_room(stages, 1).has_value());
  EXPECT_FALSE(time_to_room({}, 1).has_value());
}

}  // namespace
}  // namespace millrace
