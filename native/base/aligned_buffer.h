// Uninitialised memory on a cache line boundary. Large ones cost no physical memory until they are
// written.
#pragma once

#include <cstddef>
#include <memory>
#include <new>

#include "base/cpu.h"

namespace millrace {

struct AlignedDelete {
  void operator()(std::byte* memory) const {
    ::operator delete[](memory, std::align_val_t{kCacheLine});
  }
};

using AlignedBuffer = std::unique_ptr<std::byte[], AlignedDelete>;

inline AlignedBuffer make_aligned_buffer(std::size_t bytes) {
  return AlignedBuffer(
      static_cast<std::byte*>(::operator new[](bytes, std::align_val_t{kCacheLine})));
}

}  // namespace millrace
