// Asks for a cache line ahead of a write. A hint: any address will do, nothing is read or written.
#pragma once

#if defined(_MSC_VER) && defined(_M_X64)
#include <intrin.h>
#endif

namespace millrace {

inline void prefetch_for_write(const void* address) {
#if defined(__x86_64__) && !defined(_MSC_VER)
  // Not __builtin_prefetch: for the baseline x86-64 that compiles to a prefetch for reading, which
  // brings the line without the right to write it, and the write then pays for a second trip. Old
  // processors take this for a no-op.
  asm volatile("prefetchw %0" : : "m"(*static_cast<const char*>(address)));
#elif defined(_MSC_VER) && defined(_M_X64)
  _m_prefetchw(address);
#elif defined(__GNUC__)
  __builtin_prefetch(address, 1);
#else
  (void)address;
#endif
}

}  // namespace millrace
