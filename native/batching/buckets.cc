#include "batching/buckets.h"

#include <algorithm>
#include <bit>

namespace millrace {
namespace {

constexpr std::int64_t kFirst = 16;
constexpr std::int64_t kMultiple = 8;
constexpr std::int64_t kStepsPerOctave = 4;

// Beyond it a size is its own bucket: the next step might not be a number any more.
constexpr std::int64_t kLargest = std::int64_t{1} << 60;

std::int64_t round_up(std::int64_t size, std::int64_t step) {
  return (size + step - 1) / step * step;
}

std::int64_t on_grid(std::int64_t size) {
  if (size <= kFirst) return kFirst;
  if (size > kLargest) return size;
  // The octave whose end is the first power of two that is not below the size.
  const auto octave =
      static_cast<std::int64_t>(std::bit_floor(static_cast<std::uint64_t>(size - 1)));
  return round_up(size, std::max(kMultiple, octave / kStepsPerOctave));
}

}  // namespace

std::int64_t bucket_of(std::int64_t size, std::span<const std::int64_t> buckets) {
  const auto found = std::lower_bound(buckets.begin(), buckets.end(), size);
  return found == buckets.end() ? on_grid(size) : *found;
}

}  // namespace millrace
