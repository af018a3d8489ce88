// Random numbers that are looked up rather than drawn in turn: number `counter` of a seed, whoever
// asks and in whichever order. That is what keeps the draws of a request the same whatever else is
// simulated.
//
// The finaliser of splitmix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators,
// OOPSLA 2014) over a Weyl sequence.
#pragma once

#include <cstdint>

namespace millrace {

inline std::uint64_t random_bits(std::uint64_t seed, std::uint64_t counter) {
  std::uint64_t z = seed + (counter + 1) * 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

// From 0 to below 1, in steps of 2^-53.
inline double random_share(std::uint64_t seed, std::uint64_t counter) {
  return static_cast<double>(random_bits(seed, counter) >> 11) * 0x1p-53;
}

}  // namespace millrace
