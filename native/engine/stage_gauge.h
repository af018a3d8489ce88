// What the replicas of a stage let others see of their work: how many they are, until when each is
// busy, how long batches take.
//
// Threads: each replica writes its own seat; any thread may read. Everything is relaxed: these are
// measurements, no data comes with them, and each is whole but not all are of one instant.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/clock.h"
#include "batching/forecast.h"
#include "engine/service_times.h"

namespace millrace {

class StageGauge {
 public:
  // A replica that could not get a seat is counted and not watched.
  static constexpr std::size_t kSeats = 64;
  static constexpr std::size_t kNoSeat = kSeats;

  // Service times are told apart up to this size at least: batches may be made larger later.
  static constexpr std::size_t kLikelyBatch = 256;

  explicit StageGauge(std::size_t max_batch)
      : service_times(std::max(max_batch, kLikelyBatch)), max_batch_(max_batch) {}

  // A replica, when it begins to serve and when it has ended.
  std::size_t take_seat();
  void leave_seat(std::size_t seat);

  // A replica, when it begins to serve: how large its batches may be. The last of a change counts.
  void set_max_batch(std::size_t max_batch) {
    max_batch_.store(max_batch, std::memory_order_relaxed);
  }

  // The replica in the seat runs until about then; kIdle when it has finished.
  static constexpr Nanos kIdle = 0;
  void set_due(std::size_t seat, Nanos at) {
    if (seat < kSeats) due_[seat].store(at, std::memory_order_relaxed);
  }

  // Rows that never got into the queue because their deadline could not be met. Any thread.
  void count_shed() { shed_.fetch_add(1, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t shed() const { return shed_.load(std::memory_order_relaxed); }

  // Fills in what is known at `now`, save for what waits.
  void read(Nanos now, StageSituation& situation) const;

  ServiceTimes service_times;

 private:
  std::atomic<std::uint64_t> taken_{0};  // a bit per seat
  std::atomic<std::uint32_t> replicas_{0};
  std::atomic<std::uint64_t> shed_{0};
  std::atomic<std::size_t> max_batch_;
  std::array<std::atomic<Nanos>, kSeats> due_{};
};

}  // namespace millrace
