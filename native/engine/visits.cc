#include "engine/visits.h"

#include <algorithm>

namespace millrace {
namespace {

// A request that once had many visits does not keep their memory for ever.
constexpr std::uint32_t kKept = 32;

}  // namespace

void Visits::reset(std::size_t room) {
  room_ = static_cast<std::uint32_t>(std::min<std::size_t>(room, kMost));
  if (room_ > capacity_ || (capacity_ > kKept && room_ <= kKept)) {
    visits_ = std::make_unique<Visit[]>(room_);
    capacity_ = room_;
  }
  for (std::uint32_t i = 0; i < room_; ++i) {
    visits_[i].attempts = 0;
    visits_[i].state_.store(VisitState::kNone, std::memory_order_relaxed);
  }
  added_.store(0, std::memory_order_relaxed);
}

std::uint32_t Visits::add(const VisitPlace& place, Nanos now) {
  const std::uint32_t at = added_.fetch_add(1, std::memory_order_relaxed);
  if (at >= room_) return 0;
  Visit& visit = visits_[at];
  visit.place = place;
  visit.queued = now;
  visit.state_.store(VisitState::kWaiting, std::memory_order_release);
  return at + 1;
}

void Visits::begin(std::uint32_t visit, Nanos now) {
  if (visit == 0) return;
  Visit& one = visits_[visit - 1];
  ++one.attempts;
  if (one.attempts > 1) return;  // its first run is when it began
  one.began = now;
  one.state_.store(VisitState::kRunning, std::memory_order_release);
}

void Visits::end(std::uint32_t visit, Nanos now, VisitState state, const VisitRun& run) {
  if (visit == 0) return;
  Visit& one = visits_[visit - 1];
  // Relaxed: whoever has the row now wrote it, or was handed the row by who did.
  if (one.state_.load(std::memory_order_relaxed) > VisitState::kRunning) return;
  one.ended = std::max(now, one.queued);
  one.run = run;
  one.state_.store(state, std::memory_order_release);
}

}  // namespace millrace
