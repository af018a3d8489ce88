// The histogram: quantiles of durations within 1.6 %.
#include "base/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <thread>
#include <vector>

#include "trial.h"

namespace millrace {
namespace {

constexpr double kPromise = 0.016;

HistogramSummary summary_of(const std::vector<std::int64_t>& values) {
  const auto histogram = std::make_unique<Histogram>();
  for (const std::int64_t value : values) histogram->record(value);
  HistogramMerge merge;
  merge.add(*histogram);
  return merge.summary();
}

// By definition: the smallest value that a share q of all does not exceed.
double nearest_rank(std::vector<std::int64_t> values, std::size_t percent) {
  std::sort(values.begin(), values.end());
  return static_cast<double>(values[(values.size() * percent + 99) / 100 - 1]);
}

TEST(Histogram, IsAllZeroWhenEmpty) {
  const HistogramSummary summary = summary_of({});
  EXPECT_EQ(summary.count, 0u);
  EXPECT_EQ(summary.mean, 0);
  EXPECT_EQ(summary.p99, 0);
  EXPECT_EQ(summary.max, 0);
}

TEST(Histogram, IsExactForOneValue) {
  const HistogramSummary summary = summary_of({1'000'003});
  EXPECT_EQ(summary.count, 1u);
  EXPECT_EQ(summary.mean, 1'000'003);
  EXPECT_NEAR(summary.p50, 1'000'003, 1'000'003 * kPromise);
  EXPECT_LE(summary.p99, 1'000'003) << "no quantile is above the maximum";
  EXPECT_EQ(summary.max, 1'000'003);
}

TEST(Histogram, IsExactBelow128) {
  std::vector<std::int64_t> values;
  for (std::int64_t v = 1; v <= 100; ++v) values.push_back(v);
  const HistogramSummary summary = summary_of(values);
  EXPECT_EQ(summary.p50, 50);
  EXPECT_EQ(summary.p95, 95);
  EXPECT_EQ(summary.p99, 99);
  EXPECT_EQ(summary.mean, 50.5);
}

TEST(Histogram, TakesNegativeValuesForZero) {
  const HistogramSummary summary = summary_of({-5, -1});
  EXPECT_EQ(summary.count, 2u);
  EXPECT_EQ(summary.max, 0);
}

TEST(Histogram, PutsWhatIsTooLargeInTheLastBucket) {
  EXPECT_EQ(Histogram::bucket_of(~std::uint64_t{0}), Histogram::kBuckets - 1);
  EXPECT_EQ(Histogram::bucket_of((std::uint64_t{1} << Histogram::kMaxBits) - 1),
            Histogram::kBuckets - 1);
  EXPECT_EQ(summary_of({std::int64_t{1} << 50}).max, std::ldexp(1.0, 50));
}

TEST(Histogram, GivesEveryValueABucketCloseToIt) {
  std::size_t last = 0;
  for (std::uint64_t v = 0; v < std::uint64_t{1} << 40; v += v / 97 + 1) {
    const std::size_t bucket = Histogram::bucket_of(v);
    ASSERT_GE(bucket, last) << v;
    ASSERT_LT(bucket, Histogram::kBuckets) << v;
    ASSERT_NEAR(Histogram::value_of(bucket), static_cast<double>(v),
                static_cast<double>(v) * kPromise)
        << v;
    last = bucket;
  }
}

TEST(Histogram, KeepsItsPromiseForRandomValuesOfEverySize) {
  det::Random random(7);
  for (int round = 0; round < 200; ++round) {
    std::vector<std::int64_t> values;
    const int count = 1 + random.below(500);
    const int bits = 1 + random.below(39);
    for (int i = 0; i < count; ++i) {
      values.push_back(static_cast<std::int64_t>(random.next() >> (64 - bits)));
    }
    const HistogramSummary summary = summary_of(values);
    const double p50 = nearest_rank(values, 50);
    const double p95 = nearest_rank(values, 95);
    const double p99 = nearest_rank(values, 99);
    EXPECT_NEAR(summary.p50, p50, p50 * kPromise) << count << " values of " << bits << " bits";
    EXPECT_NEAR(summary.p95, p95, p95 * kPromise) << count << " values of " << bits << " bits";
    EXPECT_NEAR(summary.p99, p99, p99 * kPromise) << count << " values of " << bits << " bits";
  }
}

TEST(Histogram, MergesAsIfOneHadRecordedAll) {
  const auto even = std::make_unique<Histogram>();
  const auto odd = std::make_unique<Histogram>();
  std::vector<std::int64_t> all;
  for (std::int64_t i = 0; i < 1'000; ++i) {
    all.push_back(i * i);
    (i % 2 == 0 ? *even : *odd).record(i * i);
  }
  HistogramMerge merge;
  merge.add(*even);
  merge.add(*odd);
  const HistogramSummary merged = merge.summary();
  const HistogramSummary whole = summary_of(all);
  EXPECT_EQ(merged.count, whole.count);
  EXPECT_EQ(merged.mean, whole.mean);
  EXPECT_EQ(merged.p50, whole.p50);
  EXPECT_EQ(merged.p99, whole.p99);
  EXPECT_EQ(merged.max, whole.max);
}

HistogramCounts counts_of(const std::vector<std::int64_t>& values,
                          const std::vector<double>& bounds) {
  const auto histogram = std::make_unique<Histogram>();
  for (const std::int64_t value : values) histogram->record(value);
  HistogramMerge merge;
  merge.add(*histogram);
  return merge.counts(bounds);
}

TEST(HistogramCounts, AreExactForSmallValues) {
  const HistogramCounts counts = counts_of({0, 1, 2, 2, 3, 16, 127}, {0, 1, 2, 4, 16, 126, 127});
  EXPECT_EQ(counts.up_to, (std::vector<std::uint64_t>{1, 2, 4, 5, 6, 6, 7}));
  EXPECT_EQ(counts.count, 7u);
  EXPECT_EQ(counts.sum, 151);
}

TEST(HistogramCounts, AreZeroWhereNothingWasRecorded) {
  const HistogramCounts counts = counts_of({}, {1, 10});
  EXPECT_EQ(counts.up_to, (std::vector<std::uint64_t>{0, 0}));
  EXPECT_EQ(counts.count, 0u);
  HistogramMerge nothing;
  EXPECT_EQ(nothing.counts(std::vector<double>{5}).up_to, (std::vector<std::uint64_t>{0}));
}

TEST(HistogramCounts, HaveWhatIsTooLargeInTheirTotalAlone) {
  const HistogramCounts counts =
      counts_of({std::int64_t{1} << 50, 5}, {10, 1e12, 1.0995116e12, 1e18, 1e300});
  EXPECT_EQ(counts.up_to, (std::vector<std::uint64_t>{1, 1, 1, 1, 1}));
  EXPECT_EQ(counts.count, 2u);
}

TEST(HistogramCounts, HaveNoValueAboveABoundAndAllThatAreClearlyBelow) {
  det::Random random(11);
  for (int round = 0; round < 200; ++round) {
    std::vector<std::int64_t> values;
    for (int i = 0; i < 200; ++i) {
      values.push_back(static_cast<std::int64_t>(random.next() >> (64 - 1 - random.below(39))));
    }
    std::vector<double> bounds;
    for (int i = 0; i < 12; ++i) {
      bounds.push_back(static_cast<double>(random.next() >> (64 - 1 - random.below(39))));
    }
    std::sort(bounds.begin(), bounds.end());
    const HistogramCounts counts = counts_of(values, bounds);
    EXPECT_EQ(counts.count, values.size());
    for (std::size_t i = 0; i < bounds.size(); ++i) {
      const auto below = [&](double bound) {
        return static_cast<std::uint64_t>(std::count_if(
            values.begin(), values.end(), [&](auto v) { return static_cast<double>(v) <= bound; }));
      };
      EXPECT_LE(counts.up_to[i], below(bounds[i])) << bounds[i];
      EXPECT_GE(counts.up_to[i], below(bounds[i] * (1 - kPromise))) << bounds[i];
      if (i > 0) EXPECT_GE(counts.up_to[i], counts.up_to[i - 1]);
    }
  }
}

TEST(Histogram, MayBeReadWhileItIsWritten) {
  const auto histogram = std::make_unique<Histogram>();
  constexpr std::uint64_t kValues = 20'000;
  std::thread writer([&] {
    for (std::uint64_t i = 0; i < kValues; ++i) histogram->record(100);
  });
  std::uint64_t last = 0;
  while (last < kValues) {
    HistogramMerge merge;
    merge.add(*histogram);
    const std::uint64_t count = merge.summary().count;
    ASSERT_GE(count, last);
    last = count;
  }
  writer.join();
  EXPECT_EQ(last, kValues);
}

}  // namespace
}  // namespace millrace
