// Which sizes of an open dimension are batched together: those that round up to the same bucket.
//
// Where no list says, or beyond its end, buckets are a quarter of an octave apart, multiples of 8,
// and the first is 16:
//
//   16 24 32 40 48 56 64 | 80 96 112 128 | 160 192 224 256 | ...
//
// Finer, and batches stay small because what waits is spread over too many lanes; coarser, and rows
// are mostly padding. Of octaves, halves, quarters, eighths and exact sizes, quarters took the
// least time a row (a fixed cost a batch and one an element) for backlogs of two to eight batches,
// with lengths uniform over 8 to 128 and log-uniform over 1 to 512: 6 to 8 % of padding where
// octaves have over 20 %. Below 16 a whole row costs less than running one batch more.
//
// Pure.
#pragma once

#include <cstdint>
#include <span>

namespace millrace {

// The bucket that holds `size` (not negative), never smaller than it. `buckets` are ascending.
std::int64_t bucket_of(std::int64_t size, std::span<const std::int64_t> buckets);

}  // namespace millrace
