// Buckets: which sizes are batched together.
#include "batching/buckets.h"

#include <gtest/gtest.h>

#include <limits>
#include <utility>
#include <vector>

namespace millrace {
namespace {

const std::vector<std::int64_t> kNone;

TEST(Buckets, AreTheFirstOfTheListThatHoldsTheSize) {
  const std::vector<std::int64_t> list{4, 10, 100};
  const std::vector<std::pair<std::int64_t, std::int64_t>> cases{
      {0, 4}, {1, 4}, {4, 4}, {5, 10}, {10, 10}, {11, 100}, {100, 100}};
  for (const auto& [size, bucket] : cases) EXPECT_EQ(bucket_of(size, list), bucket) << size;
}

TEST(Buckets, BeyondTheListAreThoseOfTheGrid) {
  const std::vector<std::int64_t> list{4, 10};
  for (const std::int64_t size : {11, 17, 100, 1000}) {
    EXPECT_EQ(bucket_of(size, list), bucket_of(size, kNone)) << size;
  }
}

TEST(Buckets, OfTheGridAreAQuarterOfAnOctaveApartAndMultiplesOfEight) {
  std::vector<std::int64_t> grid;
  for (std::int64_t size = 0; size <= 300; ++size) {
    const std::int64_t bucket = bucket_of(size, kNone);
    if (grid.empty() || grid.back() != bucket) grid.push_back(bucket);
  }
  EXPECT_EQ(grid, (std::vector<std::int64_t>{16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192,
                                             224, 256, 320}));
}

TEST(Buckets, AreNeverSmallerThanTheSizeNorWasteMoreThanAThird) {
  for (std::int64_t size = 17; size < 1'000'000; size += 1 + size / 50) {
    const std::int64_t bucket = bucket_of(size, kNone);
    EXPECT_GE(bucket, size);
    EXPECT_LE(3 * (bucket - size), bucket + 1) << size;
    EXPECT_EQ(bucket_of(bucket, kNone), bucket) << "a bucket holds itself";
  }
}

TEST(Buckets, HoldSizesOfAnyMagnitude) {
  const std::int64_t largest = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(bucket_of(largest, kNone), largest);
  EXPECT_GE(bucket_of(largest / 2, kNone), largest / 2);
  EXPECT_GE(bucket_of((std::int64_t{1} << 60) - 1, kNone), (std::int64_t{1} << 60) - 1);
}

}  // namespace
}  // namespace millrace
