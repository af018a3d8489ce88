// How many rows are in the pipeline, and whether more are let in. The owner counts those it admits,
// replicas count those that are finished; each side writes a cache line of its own, and the owner
// looks at the other's only when its last look says that the pipeline is full. So the usual
// admission touches nothing that another processor writes.
//
// Items of a fan-out are not admitted, but while they are in the pipeline nobody else is: they are
// taken from what is finished, which may thus fall below where it began (the counts are of 64 bits
// and only their difference is used). Then the owner must look every time.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/cpu.h"

namespace millrace {

class Admission {
 public:
  explicit Admission(std::size_t most_rows, bool has_items = false)
      : most_rows_(most_rows), has_items_(has_items) {}

  // Owner. False: there would be too many.
  bool admit(std::uint32_t rows) {
    const std::uint64_t admitted = admitted_.load(std::memory_order_relaxed) + rows;
    if (has_items_) finished_seen_ = finished_.load(std::memory_order_relaxed);
    if (admitted - finished_seen_ > most_rows_) {
      finished_seen_ = finished_.load(std::memory_order_relaxed);
      if (admitted - finished_seen_ > most_rows_) return false;
    }
    admitted_.store(admitted, std::memory_order_relaxed);
    return true;
  }

  // Any thread, for items that come into being; each is finished once.
  void add_items(std::uint32_t items) { finished_.fetch_sub(items, std::memory_order_relaxed); }

  // Any thread, for each row that was admitted, once.
  void finish(std::uint32_t rows) { finished_.fetch_add(rows, std::memory_order_relaxed); }

  // Owner, when nobody is left to finish anything.
  void finish_all() {
    finished_.store(admitted_.load(std::memory_order_relaxed), std::memory_order_relaxed);
  }

  // Any thread; both counts are whole but not of one instant.
  [[nodiscard]] std::size_t pending() const {
    const std::uint64_t finished = finished_.load(std::memory_order_relaxed);
    const std::uint64_t admitted = admitted_.load(std::memory_order_relaxed);
    const auto pending = static_cast<std::int64_t>(admitted - finished);
    return pending > 0 ? static_cast<std::size_t>(pending) : 0;
  }

 private:
  const std::size_t most_rows_;
  const bool has_items_;
  std::uint64_t finished_seen_ = 0;         // owner
  std::atomic<std::uint64_t> admitted_{0};  // owner writes
  alignas(kCacheLine) std::atomic<std::uint64_t> finished_{0};
};

}  // namespace millrace
