// What waits at a stage, first come first served: a ring of rows and of when they came. A batch is
// a stretch of it and stays there until it ends, so nothing is copied.
//
//     kept            head            tail
//      | batches run   | waiting rows  |
//
// Positions count from the first row ever. Where the ring is full its owner says what is still
// kept, and only if that is more than half of it the ring grows.
#pragma once

#include <cstdint>
#include <vector>

#include "base/clock.h"

namespace millrace {

class RowQueue {
 public:
  [[nodiscard]] std::size_t waiting() const { return static_cast<std::size_t>(tail_ - head_); }
  [[nodiscard]] Nanos oldest() const { return slots_[head_ & mask_].came; }
  [[nodiscard]] bool full() const { return tail_ - kept_ > mask_; }

  // Not when full().
  void push(std::uint32_t row, Nanos now) { slots_[tail_++ & mask_] = {now, row}; }

  // The position of the first of `rows` that wait no longer.
  std::uint64_t take(std::size_t rows) {
    const std::uint64_t first = head_;
    head_ += rows;
    return first;
  }
  [[nodiscard]] std::uint64_t head() const { return head_; }

  [[nodiscard]] std::uint32_t row(std::uint64_t position) const {
    return slots_[position & mask_].row;
  }
  [[nodiscard]] Nanos came(std::uint64_t position) const { return slots_[position & mask_].came; }

  // What lies before is not needed any more.
  void make_room(std::uint64_t kept) {
    kept_ = kept;
    if ((tail_ - kept_) * 2 <= slots_.size()) return;
    std::vector<Slot> larger(slots_.size() * 2);
    for (std::uint64_t at = kept_; at != tail_; ++at) {
      larger[at & (larger.size() - 1)] = slots_[at & mask_];
    }
    slots_ = std::move(larger);
    mask_ = slots_.size() - 1;
  }

 private:
  struct Slot {
    Nanos came = 0;
    std::uint32_t row = 0;
  };
  static constexpr std::size_t kFirstSize = 64;

  std::vector<Slot> slots_ = std::vector<Slot>(kFirstSize);  // a power of two
  std::uint64_t mask_ = kFirstSize - 1;
  std::uint64_t kept_ = 0;
  std::uint64_t head_ = 0;
  std::uint64_t tail_ = 0;
};

}  // namespace millrace
