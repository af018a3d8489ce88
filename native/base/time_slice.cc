#include "base/time_slice.h"

#include <algorithm>
#include <thread>
#include <vector>

namespace millrace {
namespace {

// Shorter ones are interrupts, or a core that goes about something else.
constexpr Nanos kLeastStop = kNanosPerMilli / 10;
// With fewer, nothing is shared.
constexpr std::size_t kFewestStops = 8;

// Looks at the clock all the time: where it jumps, the thread did not run.
std::vector<Nanos> stops_until(const Clock& clock, Nanos end) {
  std::vector<Nanos> stops;
  Nanos last = clock.now();
  while (last < end) {
    const Nanos next = clock.now();
    if (next - last > kLeastStop) stops.push_back(next - last);
    last = next;
  }
  return stops;
}

}  // namespace

Nanos measure_time_slice(std::size_t threads, Nanos duration) {
  const SteadyClock clock;
  const Nanos end = clock.now() + duration;
  std::vector<std::vector<Nanos>> each(threads);
  std::vector<std::thread> running;
  running.reserve(threads);
  for (std::vector<Nanos>& stops : each)
    running.emplace_back([&] { stops = stops_until(clock, end); });
  for (std::thread& one : running) one.join();
  std::vector<Nanos> all;
  for (const std::vector<Nanos>& stops : each) all.insert(all.end(), stops.begin(), stops.end());
  if (all.size() < kFewestStops) return 0;
  const auto middle = all.begin() + static_cast<std::ptrdiff_t>(all.size() / 2);
  std::nth_element(all.begin(), middle, all.end());
  return *middle;
}

}  // namespace millrace
