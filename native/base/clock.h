// Time in the core is monotonic nanoseconds. Everything that needs the time is handed a Clock, so
// that tests and the simulator can drive it.
#pragma once

#include <chrono>
#include <cstdint>
#include <limits>

namespace millrace {

using Nanos = std::int64_t;

inline constexpr Nanos kNever = std::numeric_limits<Nanos>::max();
inline constexpr Nanos kNanosPerMilli = 1'000'000;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Nanos now() const = 0;
};

class SteadyClock final : public Clock {
 public:
  Nanos now() const override {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(
               std::chrono::steady_clock::now().time_since_epoch())
        .count();
  }
};

}  // namespace millrace
