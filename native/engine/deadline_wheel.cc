#include "engine/deadline_wheel.h"

#include <algorithm>

namespace millrace {

void DeadlineWheel::add(Request& request) {
  // What is due already goes where the next advance() begins to look.
  const std::uint64_t tick = std::max(tick_of(request.deadline), next_tick_);
  Request*& head = buckets_[tick % kBuckets];
  request.wheel_bucket = static_cast<std::uint32_t>(tick % kBuckets);
  request.wheel_previous = nullptr;
  request.wheel_next = head;
  if (head != nullptr) head->wheel_previous = &request;
  head = &request;
  request.in_wheel = true;
  ++size_;
}

void DeadlineWheel::remove(Request& request) {
  if (!request.in_wheel) return;
  Request*& head = buckets_[request.wheel_bucket];
  (request.wheel_previous == nullptr ? head : request.wheel_previous->wheel_next) =
      request.wheel_next;
  if (request.wheel_next != nullptr) request.wheel_next->wheel_previous = request.wheel_previous;
  request.in_wheel = false;
  --size_;
}

Nanos DeadlineWheel::next() const {
  if (size_ == 0) return kNever;
  for (std::uint64_t tick = next_tick_; tick < next_tick_ + kBuckets; ++tick) {
    Nanos earliest = kNever;
    for (const Request* r = buckets_[tick % kBuckets]; r != nullptr; r = r->wheel_next) {
      earliest = std::min(earliest, r->deadline);
    }
    const auto end = static_cast<Nanos>((tick + 1) * kNanosPerMilli);
    if (earliest < end) return earliest;
  }
  return static_cast<Nanos>((next_tick_ + kBuckets) * kNanosPerMilli);
}

}  // namespace millrace
