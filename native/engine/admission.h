// How many rows are in the pipeline, and whether more are let in. The owner counts those it admits,
// replicas count those that are finished; each side writes a cache line of its own, and the owner
// looks at the other's only when its last look says that the pipeline is full. So the usual
// admission touches nothing that another processor writes.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/cpu.h"

namespace millrace {

class Admission {
 public:
  explicit Admission(std::size_t most_rows) : most_rows_(most_rows) {}

  // Owner. False: there would be too many.
  bool admit(std::uint32_t rows) {
    const std::uint64_t admitted = admitted_.load(std::memory_order_relaxed) + rows;
    if (admitted - finished_seen_ > most_rows_) {
      finished_seen_ = finished_.load(std::memory_order_relaxed);
      if (admitted - finished_seen_ > most_rows_) return false;
    }
    admitted_.store(admitted, std::memory_order_relaxed);
    return true;
  }

  // Any thread, for each row that was admitted once.
  void finish(std::uint32_t rows) { finished_.fetch_add(rows, std::memory_order_relaxed); }

  // Owner, when nobody is left to finish anything.
  void finish_all() {
    finished_.store(admitted_.load(std::memory_order_relaxed), std::memory_order_relaxed);
  }

  // Any thread; both counts are whole but not of one instant.
  [[nodiscard]] std::size_t pending() const {
    const std::uint64_t finished = finished_.load(std::memory_order_relaxed);
    const std::uint64_t admitted = admitted_.load(std::memory_order_relaxed);
    return admitted > finished ? static_cast<std::size_t>(admitted - finished) : 0;
  }

 private:
  const std::size_t most_rows_;
  std::uint64_t finished_seen_ = 0;         // owner
  std::atomic<std::uint64_t> admitted_{0};  // owner writes
  alignas(kCacheLine) std::atomic<std::uint64_t> finished_{0};
};

}  // namespace millrace
