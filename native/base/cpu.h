// What the core assumes of the processor: the size of a cache line and a polite way to spin.
#pragma once

#include <cstddef>

#if defined(__x86_64__) || defined(_M_X64)
#include <immintrin.h>
#endif

namespace millrace {

// A constant rather than std::hardware_destructive_interference_size, whose value may differ
// between translation units.
inline constexpr std::size_t kCacheLine = 64;

inline void cpu_relax() {
#if defined(__x86_64__) || defined(_M_X64)
  _mm_pause();
#elif defined(__aarch64__) && !defined(_MSC_VER)
  asm volatile("yield");
#endif
}

}  // namespace millrace
