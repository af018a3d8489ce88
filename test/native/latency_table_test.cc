// The latency table: how long a batch takes, by its size.
#include "batching/latency_table.h"

#include <gtest/gtest.h>

namespace millrace {
namespace {

TEST(LatencyTable, KnowsNothingWhenEmpty) {
  EXPECT_TRUE(LatencyTable().empty());
  EXPECT_EQ(LatencyTable().at(8), 0);
}

TEST(LatencyTable, GivesWhatWasMeasured) {
  const LatencyTable table({{1, 100}, {4, 160}, {16, 400}});
  EXPECT_FALSE(table.empty());
  EXPECT_EQ(table.at(1), 100);
  EXPECT_EQ(table.at(4), 160);
  EXPECT_EQ(table.at(16), 400);
}

TEST(LatencyTable, IsLinearBetweenPoints) {
  const LatencyTable table({{1, 100}, {4, 160}, {16, 400}});
  EXPECT_EQ(table.at(2), 120);
  EXPECT_EQ(table.at(10), 280);
}

TEST(LatencyTable, MayFallBetweenPoints) {
  EXPECT_EQ(LatencyTable({{1, 300}, {3, 100}}).at(2), 200);
}

TEST(LatencyTable, GivesTheNearestPointBeyondEitherEnd) {
  const LatencyTable table({{2, 100}, {8, 160}});
  EXPECT_EQ(table.at(0), 100);
  EXPECT_EQ(table.at(1), 100);
  EXPECT_EQ(table.at(1'000), 160);
}

TEST(LatencyTable, TakesPointsInAnyOrder) {
  const LatencyTable table({{16, 400}, {1, 100}, {4, 160}});
  EXPECT_EQ(table.at(1), 100);
  EXPECT_EQ(table.at(10), 280);
}

TEST(LatencyTable, HoldsForASinglePoint) {
  const LatencyTable table({{4, 70}});
  EXPECT_EQ(table.at(1), 70);
  EXPECT_EQ(table.at(4), 70);
  EXPECT_EQ(table.at(9), 70);
}

TEST(LatencyTable, HoldsForMinutesAndThousandsOfRows) {
  const LatencyTable table({{1, 0}, {10'001, 600'000'000'000}});
  EXPECT_EQ(table.at(5'001), 300'000'000'000);
}

}  // namespace
}  // namespace millrace
