#include "base/histogram.h"

#include <algorithm>
#include <cmath>

namespace millrace {
namespace {

// Of the bucket after the last, too.
double first_value_of(std::size_t bucket) {
  constexpr std::size_t kSub = Histogram::kSub;
  if (bucket < kSub) return static_cast<double>(bucket);
  return std::ldexp(static_cast<double>(kSub + bucket % kSub), static_cast<int>(bucket / kSub - 1));
}

// The smallest value that a share `q` of all values does not exceed (nearest rank). The tiny number
// keeps a product such as 0.99 * 300 from rounding up to the rank above.
double quantile(const std::vector<std::uint64_t>& totals, std::uint64_t count, double q) {
  const double exact = std::ceil(q * static_cast<double>(count) - 1e-6);
  const auto rank = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(exact));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < totals.size(); ++i) {
    seen += totals[i];
    if (seen >= rank) return Histogram::value_of(i);
  }
  return 0;
}

}  // namespace

void Histogram::add_to(std::vector<std::uint64_t>& totals, std::uint64_t& sum,
                       std::uint64_t& max) const {
  totals.resize(kBuckets);
  for (std::size_t i = 0; i < kBuckets; ++i)
    totals[i] += counts_[i].load(std::memory_order_relaxed);
  sum += sum_.load(std::memory_order_relaxed);
  max = std::max(max, max_.load(std::memory_order_relaxed));
}

double Histogram::value_of(std::size_t bucket) {
  return (first_value_of(bucket) + first_value_of(bucket + 1) - 1) / 2;
}

std::size_t Histogram::buckets_up_to(double bound) {
  if (!(bound >= 0)) return 0;
  if (bound >= std::ldexp(1.0, kMaxBits)) return kBuckets - 1;
  const std::size_t bucket = bucket_of(static_cast<std::uint64_t>(bound));
  const double last = first_value_of(bucket + 1) - 1;
  return last <= bound && bucket + 1 < kBuckets ? bucket + 1 : bucket;
}

HistogramCounts Histogram::count_up_to(std::span<const double> bounds,
                                       const std::vector<std::uint64_t>& totals,
                                       std::uint64_t sum) {
  HistogramCounts counts;
  counts.sum = static_cast<double>(sum);
  counts.up_to.reserve(bounds.size());
  std::size_t bucket = 0;
  for (const double bound : bounds) {
    const std::size_t end = std::min(buckets_up_to(bound), totals.size());
    for (; bucket < end; ++bucket) counts.count += totals[bucket];
    counts.up_to.push_back(counts.count);
  }
  for (; bucket < totals.size(); ++bucket) counts.count += totals[bucket];
  return counts;
}

HistogramSummary Histogram::summarize(const std::vector<std::uint64_t>& totals, std::uint64_t sum,
                                      std::uint64_t max) {
  HistogramSummary summary;
  for (const std::uint64_t count : totals) summary.count += count;
  if (summary.count == 0) return summary;
  summary.mean = static_cast<double>(sum) / static_cast<double>(summary.count);
  summary.max = static_cast<double>(max);
  summary.p50 = std::min(summary.max, quantile(totals, summary.count, 0.50));
  summary.p95 = std::min(summary.max, quantile(totals, summary.count, 0.95));
  summary.p99 = std::min(summary.max, quantile(totals, summary.count, 0.99));
  return summary;
}

}  // namespace millrace
