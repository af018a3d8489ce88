// How long batches take of late: learnt from few, blind to outliers, forgotten when not confirmed.
#include "engine/service_times.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace millrace {
namespace {

constexpr Nanos kMs = kNanosPerMilli;

class ServiceTimesTest : public testing::Test {
 protected:
  void record(std::size_t batch, const std::vector<Nanos>& services_ms) {
    for (const Nanos ms : services_ms) times_.record(batch, ms * kMs, now_ += 10 * kMs);
  }
  // In milliseconds; 0 where nothing is known.
  Nanos at(std::size_t batch) {
    times_.read(now_, table_);
    return table_.at(batch) / kMs;
  }

  ServiceTimes times_{32};
  LatencyTable table_;
  Nanos now_ = 1'000'000 * kMs;
};

using ServiceTimesOf = ServiceTimesTest;

TEST_F(ServiceTimesOf, NothingKnowNothing) {
  times_.read(now_, table_);
  EXPECT_TRUE(table_.empty());
}

TEST_F(ServiceTimesOf, AStageAreKnownFromTheThirdBatchOn) {
  record(8, {40, 10});
  EXPECT_EQ(at(8), 0);
  record(8, {10});
  EXPECT_EQ(at(8), 10) << "the first one was slow";
}

TEST_F(ServiceTimesOf, ABatchAreBlindToOutliers) {
  record(8, {10, 10, 10, 10, 10, 10, 10, 500, 300, 200});
  EXPECT_EQ(at(8), 10);
}

TEST_F(ServiceTimesOf, ABatchFollowAChangeAfterFour) {
  record(8, {10, 10, 10, 10, 10, 10, 10, 100, 100, 100});
  EXPECT_EQ(at(8), 10);
  record(8, {100});
  EXPECT_EQ(at(8), 100);
  record(8, {1, 1, 1, 1});
  EXPECT_EQ(at(8), 1);
}

TEST_F(ServiceTimesOf, ABatchAreForgottenAfterASecond) {
  record(8, {10, 10, 10});
  now_ += 1'000 * kMs;
  EXPECT_EQ(at(8), 10);
  now_ += 1;
  EXPECT_EQ(at(8), 0);
}

TEST_F(ServiceTimesOf, ALongBatchAreForgottenAfterEightOfThem) {
  record(8, {5'000, 5'000, 5'000});
  now_ += 40'000 * kMs;
  EXPECT_EQ(at(8), 5'000);
  now_ += 1;
  EXPECT_EQ(at(8), 0);
}

TEST_F(ServiceTimesOf, AForgottenBatchHoldAgainWhereTheNextIsAlike) {
  record(8, {10, 10, 10, 10});
  now_ += 5'000 * kMs;
  record(8, {15});
  EXPECT_EQ(at(8), 10);
}

TEST_F(ServiceTimesOf, AForgottenBatchStartAnewWhereTheNextDiffers) {
  record(8, {10, 10, 10, 10, 10, 10, 10});
  now_ += 5'000 * kMs;
  record(8, {100, 100});
  EXPECT_EQ(at(8), 0);
  record(8, {100});
  EXPECT_EQ(at(8), 100);
}

TEST_F(ServiceTimesOf, SizesBetweenAreInterpolated) {
  record(1, {2, 2, 2});
  record(8, {9, 9, 9});
  EXPECT_EQ(at(1), 2);
  EXPECT_EQ(at(5), 6);
  EXPECT_EQ(at(32), 9) << "the nearest known";
}

TEST_F(ServiceTimesOf, SizesBelowAllKnownAreTakenToBeAsMuchQuicker) {
  record(8, {80, 80, 80});
  EXPECT_EQ(at(1), 10);
  EXPECT_EQ(at(4), 40);
}

TEST_F(ServiceTimesOf, ASmallerBatchAreNeverLongerThanOfALarger) {
  record(4, {30, 30, 30});
  record(8, {20, 20, 20});
  EXPECT_EQ(at(4), 20);
}

TEST_F(ServiceTimesOf, SizesWithoutASlotCountForTheNext) {
  record(13, {10, 10, 10});
  EXPECT_EQ(at(14), 10);
  record(31, {30, 30, 30});
  EXPECT_EQ(at(32), 30);
  record(1'000, {40, 40, 40, 40, 40, 40, 40});
  EXPECT_EQ(at(32), 40) << "larger than any should be";
}

TEST(ServiceTimes, TakeLittleMemoryHoweverLargeTheBatch) {
  EXPECT_EQ(ServiceTimes(1).slots(), 1u);
  EXPECT_EQ(ServiceTimes(8).slots(), 8u);
  EXPECT_EQ(ServiceTimes(16).slots(), 12u);
  EXPECT_LE(ServiceTimes(std::size_t{1} << 20).slots(), 80u);
  EXPECT_LE(ServiceTimes(std::size_t{1} << 60).slots(), 127u);
}

TEST(ServiceTimes, AreWrittenAndReadByAnyThread) {
  ServiceTimes times(8);
  std::vector<std::thread> replicas;
  for (int i = 0; i < 3; ++i) {
    replicas.emplace_back([&times] {
      for (Nanos n = 1; n < 5'000; ++n) times.record(8, 10 * kMs, n * 1'000);
    });
  }
  LatencyTable table;
  for (Nanos n = 1; n < 5'000; ++n) {
    times.read(n * 1'000, table);
    EXPECT_TRUE(table.at(8) == 0 || table.at(8) == 10 * kMs);
  }
  for (std::thread& replica : replicas) replica.join();
}

}  // namespace
}  // namespace millrace
