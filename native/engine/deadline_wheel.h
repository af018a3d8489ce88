// Requests by deadline, so that each is answered when its time is up and not when a replica happens
// to reach it.
//
// A hashed timing wheel (Varghese and Lauck 1987): a bucket a millisecond, deadlines beyond one
// turn share buckets with nearer ones and are passed over until their turn comes. Adding and
// removing are O(1).
//
// Owner thread only.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/clock.h"
#include "engine/request.h"

namespace millrace {

class DeadlineWheel {
 public:
  explicit DeadlineWheel(Nanos now) : next_tick_(tick_of(now)) {}

  // The request's deadline is set and not kNever.
  void add(Request& request);

  // Does nothing when the request is not in the wheel.
  void remove(Request& request);

  // Takes out every request whose deadline is not after `now` and calls expired(request).
  template <class Expired>
  void advance(Nanos now, Expired&& expired) {
    const std::uint64_t last = tick_of(now);
    // One turn visits every bucket; more would visit them again.
    const std::uint64_t stop = last < next_tick_ + kBuckets ? last : next_tick_ + kBuckets - 1;
    for (std::uint64_t tick = next_tick_; tick <= stop; ++tick) {
      for (Request* request = buckets_[tick % kBuckets]; request != nullptr;) {
        Request* const following = request->wheel_next;
        if (request->deadline <= now) {
          remove(*request);
          expired(*request);
        }
        request = following;
      }
    }
    next_tick_ = last;
  }

  // The nearest moment at which advance() may find something: exact within a millisecond for what
  // is due in this turn, a turn later for what is not; kNever when the wheel is empty.
  [[nodiscard]] Nanos next() const;

  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  static constexpr std::uint64_t kBuckets = 1024;

  static std::uint64_t tick_of(Nanos at) {
    return static_cast<std::uint64_t>(at < 0 ? 0 : at) / kNanosPerMilli;
  }

  std::array<Request*, kBuckets> buckets_{};
  std::uint64_t next_tick_;  // the first not yet passed for good
  std::size_t size_ = 0;
};

}  // namespace millrace
