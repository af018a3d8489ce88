// Batches that slow each other down: while B threads are busy, each of them progresses at the rate
// 1 / slowdown(B).
//
// All of them at the same rate; so there is one virtual clock, which goes at that rate, and a batch
// that starts when it shows v and takes s alone ends when it shows v + s, whatever starts or ends
// in between. Only the earliest end is ever turned into real time, and no change of the rate moves
// anything in the heap.
//
// Ends in real time are whole nanoseconds, rounded up; what is due within a thousandth of one
// counts as due, so that rounding of the virtual clock does not put off by one what ends together.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "simulator/event_heap.h"

namespace millrace {

class Contention {
 public:
  explicit Contention(std::vector<double> slowdown) : slowdown_(std::move(slowdown)) {}

  // Whether there is any.
  [[nodiscard]] bool applies() const { return !slowdown_.empty(); }

  // When the next of its batches ends, should nothing start before; kNever when none runs.
  [[nodiscard]] Nanos next_end() const { return next_end_; }

  void start(const RunningBatch& batch, std::uint32_t threads, Nanos service, Nanos now) {
    go_to(now);
    ends_.push({virtual_now_ + static_cast<double>(service), batch});
    busy_ += threads;
    look_ahead();
  }

  // Adds those that end now. Their threads are busy until released.
  void take_ended(Nanos now, std::vector<RunningBatch>& ended) {
    if (next_end_ > now) return;
    go_to(now);
    while (!ends_.empty() && real_end(ends_.top().time) <= now) {
      ended.push_back(ends_.top().batch);
      ends_.pop();
    }
    look_ahead();
  }

  void release(std::uint32_t threads, Nanos now) {
    go_to(now);
    busy_ -= threads;
    if (busy_ == 0) virtual_now_ = 0;  // nobody is told by it, and small numbers are exact
    look_ahead();
  }

 private:
  static constexpr double kDue = 0x1p-10;

  void go_to(Nanos now) {
    if (now == real_now_) return;
    virtual_now_ += static_cast<double>(now - real_now_) / slow_;
    real_now_ = now;
  }

  [[nodiscard]] Nanos real_end(double virtual_end) const {
    const double left = std::ceil((virtual_end - virtual_now_) * slow_ - kDue);
    if (left >= 0x1p62) return kNever;
    return real_now_ + std::max<Nanos>(0, static_cast<Nanos>(left));
  }

  void look_ahead() {
    slow_ = slowdown(busy_);
    next_end_ = ends_.empty() ? kNever : real_end(ends_.top().time);
  }

  [[nodiscard]] double slowdown(std::uint64_t threads) const {
    if (threads == 0) return 1;
    const std::uint64_t known = slowdown_.size();
    if (threads <= known) return slowdown_[static_cast<std::size_t>(threads - 1)];
    return slowdown_.back() * static_cast<double>(threads) / static_cast<double>(known);
  }

  std::vector<double> slowdown_;
  EventHeap<double> ends_;  // in virtual time
  double virtual_now_ = 0;
  Nanos real_now_ = 0;
  double slow_ = 1;
  std::uint64_t busy_ = 0;  // threads
  Nanos next_end_ = kNever;
};

}  // namespace millrace
