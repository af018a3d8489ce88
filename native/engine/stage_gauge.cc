#include "engine/stage_gauge.h"

#include <algorithm>
#include <cstdlib>

namespace millrace {

std::size_t StageGauge::take_seat() {
  replicas_.fetch_add(1, std::memory_order_relaxed);
  std::uint64_t taken = taken_.load(std::memory_order_relaxed);
  for (;;) {
    const auto seat = static_cast<std::size_t>(std::countr_one(taken));
    if (seat >= kSeats) return kNoSeat;
    if (taken_.compare_exchange_weak(taken, taken | std::uint64_t{1} << seat,
                                     std::memory_order_relaxed)) {
      return seat;
    }
  }
}

void StageGauge::leave_seat(std::size_t seat) {
  replicas_.fetch_sub(1, std::memory_order_relaxed);
  if (seat >= kSeats) return;
  set_due(seat, kIdle);
  taken_.fetch_and(~(std::uint64_t{1} << seat), std::memory_order_relaxed);
}

// A batch that should have ended so and so long ago may well take as long again.
void StageGauge::read(Nanos now, StageSituation& situation) const {
  service_times.read(now, situation.latency);
  situation.max_batch = max_batch_.load(std::memory_order_relaxed);
  situation.replicas = replicas_.load(std::memory_order_relaxed);
  situation.free_in.clear();
  std::uint64_t taken = taken_.load(std::memory_order_relaxed);
  for (; taken != 0; taken &= taken - 1) {
    const Nanos due =
        due_[static_cast<std::size_t>(std::countr_zero(taken))].load(std::memory_order_relaxed);
    situation.free_in.push_back(due == kIdle ? 0 : std::abs(due - now));
  }
  std::sort(situation.free_in.begin(), situation.free_in.end());
}

}  // namespace millrace
