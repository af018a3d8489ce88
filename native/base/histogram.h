// A histogram of durations (or any counts) with a relative error below 1.6 %, written by one thread
// and read by any.
//
// Buckets are linear within each power of two, 64 to an octave, as in Gil Tene's HdrHistogram:
//
//   value   0 1 2 ... 63 | 64 65 ... 127 | 128 130 ... 254 | 256 260 ... | up to 2^40, the rest
//   width         1      |       1       |        2        |      4      | in the last bucket
//
// 2^40 ns is 18 minutes. Quantiles are by nearest rank and never above the maximum, which is exact.
//
// record() is single-writer: a relaxed load and store, no locked instruction. Readers see each
// counter whole but not all of them at one instant; a summary taken while writing is off by the few
// values in flight.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace millrace {

struct HistogramSummary {
  std::uint64_t count = 0;
  double mean = 0;
  double p50 = 0;
  double p95 = 0;
  double p99 = 0;
  double max = 0;
};

// How many values lie at or below each of some bounds, in a form in which histograms are exported.
struct HistogramCounts {
  std::vector<std::uint64_t> up_to;  // a bound each
  std::uint64_t count = 0;           // of all values
  double sum = 0;                    // of all values
};

class Histogram {
 public:
  static constexpr unsigned kSubBits = 6;
  static constexpr unsigned kMaxBits = 40;
  static constexpr std::size_t kSub = std::size_t{1} << kSubBits;
  static constexpr std::size_t kBuckets = (kMaxBits - kSubBits + 1) * kSub;

  void record(std::int64_t value) {
    const std::uint64_t v = value < 0 ? 0 : static_cast<std::uint64_t>(value);
    bump(counts_[bucket_of(v)], 1);
    bump(sum_, v);
    if (v > max_.load(std::memory_order_relaxed)) max_.store(v, std::memory_order_relaxed);
  }

  // Adds these counts to `totals` (resized to kBuckets), the sum and the maximum to the two others.
  void add_to(std::vector<std::uint64_t>& totals, std::uint64_t& sum, std::uint64_t& max) const;

  static std::size_t bucket_of(std::uint64_t v) {
    if (v < kSub) return static_cast<std::size_t>(v);
    const unsigned shift = static_cast<unsigned>(std::bit_width(v)) - 1 - kSubBits;
    if (shift > kMaxBits - kSubBits - 1) return kBuckets - 1;
    return (shift + 1) * kSub + static_cast<std::size_t>((v >> shift) - kSub);
  }

  // The middle of a bucket.
  static double value_of(std::size_t bucket);

  // How many buckets lie at or below the bound with all their values. The last one has no end.
  static std::size_t buckets_up_to(double bound);

  static HistogramSummary summarize(const std::vector<std::uint64_t>& totals, std::uint64_t sum,
                                    std::uint64_t max);

  // Bounds ascend. A bucket counts where all of it lies at or below the bound: a count may leave
  // out values that are up to 1.6 % below it, and never has one that is above.
  static HistogramCounts count_up_to(std::span<const double> bounds,
                                     const std::vector<std::uint64_t>& totals, std::uint64_t sum);

 private:
  static void bump(std::atomic<std::uint64_t>& counter, std::uint64_t by) {
    counter.store(counter.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
  }

  std::array<std::atomic<std::uint64_t>, kBuckets> counts_{};
  std::atomic<std::uint64_t> sum_{0};
  std::atomic<std::uint64_t> max_{0};
};

// Histograms of several writers as one.
class HistogramMerge {
 public:
  void add(const Histogram& histogram) { histogram.add_to(totals_, sum_, max_); }
  [[nodiscard]] HistogramSummary summary() const {
    return Histogram::summarize(totals_, sum_, max_);
  }
  [[nodiscard]] HistogramCounts counts(std::span<const double> bounds) const {
    return Histogram::count_up_to(bounds, totals_, sum_);
  }

 private:
  std::vector<std::uint64_t> totals_;
  std::uint64_t sum_ = 0;
  std::uint64_t max_ = 0;
};

}  // namespace millrace
