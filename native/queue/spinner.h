// A bounded, adaptive spin before a consumer parks. Spinning is worth it only where work tends to
// come sooner than a sleep and a wake-up take (tens of microseconds, more on a virtual machine), so
// the spinner learns from every wait, however it was spent: from spins that succeeded or did not,
// and from sleeps that turned out to be short or long.
//
// Learning from sleeps matters. A consumer and a producer that both sleep between messages wake
// each other just too late for a spin that gave up for good; the short sleeps show that a spin
// would have been in time.
//
// One per consumer thread; not thread-safe. A budget of 0 never spins.
#pragma once

#include "base/clock.h"
#include "base/cpu.h"

namespace millrace {

class Spinner {
 public:
  Spinner(const Clock& clock, Nanos budget_ns) : clock_(clock), budget_ns_(budget_ns) {}

  // Whether recent waits say that spinning pays.
  [[nodiscard]] bool pays() const { return budget_ns_ > 0 && score_ >= kEven; }

  // Calls ready() until it is true, at most for the budget, where spinning pays. False: park, and
  // tell slept() how long it was.
  template <class Ready>
  bool spin_until(Ready&& ready) {
    if (ready()) return true;
    if (!pays()) return false;
    const Nanos until_ns = clock_.now() + budget_ns_;
    do {
      for (int i = 0; i < kPausesPerLook; ++i) {
        cpu_relax();
        if (ready()) {
          learn(true);
          return true;
        }
      }
    } while (clock_.now() < until_ns);
    // What follows is a sleep, and slept() will count it.
    spent_ns_ = budget_ns_;
    return false;
  }

  // The sleep after spin_until() returned false lasted so long.
  void slept(Nanos duration_ns) {
    learn(spent_ns_ + duration_ns <= budget_ns_);
    spent_ns_ = 0;
  }

 private:
  static constexpr int kPausesPerLook = 16;  // looks at the clock are dearer than looks at a queue
  static constexpr int kMost = 16;           // waits that the score remembers, about
  static constexpr int kEven = 8;

  void learn(bool was_short) {
    if (was_short && score_ < kMost) ++score_;
    if (!was_short && score_ > 0) --score_;
  }

  const Clock& clock_;
  const Nanos budget_ns_;
  int score_ = kMost;   // short waits add one, long ones take one away
  Nanos spent_ns_ = 0;  // spun in vain before the sleep that is not yet counted
};

}  // namespace millrace
