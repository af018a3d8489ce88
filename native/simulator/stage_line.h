// One stage of a simulation: what waits, what runs, and what became of both.
//
// Replicas are alike, so they are a count. A running batch has a seat, which is given to another
// when it ends.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/clock.h"
#include "base/histogram.h"
#include "batching/policy.h"
#include "simulator/row_queue.h"
#include "simulator/simulation.h"
#include "simulator/stage_service.h"

namespace millrace {

class StageLine {
 public:
  struct Batch {
    std::uint64_t first = 0;  // position in the queue
    std::uint32_t rows = 0;   // 0: the seat is free
    std::uint32_t threads = 0;
    std::uint32_t device = 0;
    Nanos start = 0;
    Nanos end = 0;  // of a free seat: when it became free
  };

  // Utilisation counts from `began` on.
  StageLine(const SimulatedService& service, const SimulationOptions& options, std::uint32_t stage,
            Nanos began);

  void push(std::uint32_t row, Nanos now) {
    if (queue_.full()) make_room();
    queue_.push(row, now);
  }

  [[nodiscard]] bool may_start() const { return running_ < replicas_ && queue_.waiting() > 0; }

  // What a free replica does; only when may_start(). Of classes the one that is an engine's default
  // is used.
  [[nodiscard]] Decision decide_now(Nanos now) const {
    QueueView view;
    view.now = now;
    view.classes[kClass] = {queue_.waiting(), queue_.oldest(), kNever};
    return decide(view, limits_);
  }
  [[nodiscard]] static std::size_t taken(const Decision& decision) { return decision.take[kClass]; }

  // Seats a batch of that many rows.
  std::uint32_t begin(std::size_t rows, Nanos now) {
    if (keep_queue_times_) count_queue_times(rows, now);
    const Batch batch{
        queue_.take(rows), static_cast<std::uint32_t>(rows), threads_, device_, now, 0};
    largest_ = rows > largest_ ? rows : largest_;
    ++running_;
    ++started_;
    // The replica that ran last is taken: it may not be asleep yet.
    wakes_ = free_seats_.empty() || now - seats_[free_seats_.back()].end > kRest;
    if (free_seats_.empty()) {
      seats_.push_back(batch);
      return static_cast<std::uint32_t>(seats_.size() - 1);
    }
    const std::uint32_t seat = free_seats_.back();
    free_seats_.pop_back();
    seats_[seat] = batch;
    return seat;
  }

  // Alone, of the batch that begin() seated last.
  [[nodiscard]] Nanos service_time(std::size_t rows) const {
    return service_.time(rows, started_ - 1) + (wakes_ ? wake_overhead_ : 0);
  }

  [[nodiscard]] const Batch& batch(std::uint32_t seat) const { return seats_[seat]; }
  [[nodiscard]] std::uint32_t row(const Batch& batch, std::uint32_t index) const {
    return queue_.row(batch.first + index);
  }

  void end(std::uint32_t seat, Nanos now) {
    Batch& batch = seats_[seat];
    if (running_ > replicas_) count_capacity(now);
    --running_;
    ++batches_;
    visits_ += batch.rows;
    busy_ += now - batch.start;
    batch.rows = 0;
    batch.end = now;
    free_seats_.push_back(seat);
  }

  [[nodiscard]] std::uint32_t threads() const { return threads_; }
  [[nodiscard]] std::uint32_t device() const { return device_; }
  // Rows of the largest batch begun so far; 0 before the first.
  [[nodiscard]] std::size_t largest_batch() const { return largest_; }

  // When to decide again because a batch is held back until then.
  Nanos wake_at = kNever;

  void set_replicas(std::size_t replicas, Nanos now);
  void set_service(const SimulatedService& service, Nanos now);

  [[nodiscard]] StageReport report(Nanos now) const;

 private:
  static constexpr std::size_t kClass = 1;

  void make_room();
  void count_queue_times(std::size_t rows, Nanos now) {
    for (std::uint64_t at = queue_.head(); at < queue_.head() + rows; ++at) {
      const auto waited = static_cast<std::uint64_t>(now - queue_.came(at));
      ++queue_times_[Histogram::bucket_of(waited)];
      longest_wait_ = waited > longest_wait_ ? waited : longest_wait_;
    }
  }

  // Adds the replicas' time up to now; those that are to go count until their batch has ended.
  void count_capacity(Nanos now);

  RowQueue queue_;
  BatchingLimits limits_;
  std::size_t running_ = 0;
  std::size_t replicas_;
  std::uint32_t threads_;
  std::uint32_t device_;
  bool keep_queue_times_;
  std::vector<Batch> seats_;
  std::vector<std::uint32_t> free_seats_;
  StageService service_;
  Nanos wake_overhead_;
  bool wakes_ = false;  // of the batch seated last

  std::size_t largest_ = 0;
  std::uint64_t started_ = 0;  // batches
  std::uint64_t batches_ = 0;  // ended
  std::uint64_t visits_ = 0;
  Nanos busy_ = 0;  // of batches that have ended
  double capacity_ = 0;
  Nanos capacity_until_;
  std::vector<std::uint64_t> queue_times_;
  std::uint64_t longest_wait_ = 0;

  const bool drawn_;
  const std::uint64_t seed_;
};

}  // namespace millrace
