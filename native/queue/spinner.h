// A bounded, adaptive spin before a consumer parks. Spinning is worth it only where the wait tends
// to be shorter than a sleep and a wake-up, so the allowance grows with every spin that paid off
// and shrinks with every one that did not; when it is spent, only one wait in kProbeEvery spins at
// all, to notice that times have changed.
//
// One per consumer thread; not thread-safe. A budget of 0 never spins.
#pragma once

#include <algorithm>

#include "base/clock.h"
#include "base/cpu.h"

namespace millrace {

class Spinner {
 public:
  Spinner(const Clock& clock, Nanos budget_ns)
      : clock_(clock), budget_ns_(budget_ns), allowance_ns_(budget_ns) {}

  // Calls ready() until it is true, at most for the allowance. False: park.
  template <class Ready>
  bool spin_until(Ready&& ready) {
    if (ready()) return true;
    if (budget_ns_ <= 0 || !worth_trying()) return false;
    const Nanos until_ns = clock_.now() + allowance_ns_;
    bool succeeded = false;
    do {
      for (int i = 0; i < kPausesPerLook && !succeeded; ++i) {
        cpu_relax();
        succeeded = ready();
      }
    } while (!succeeded && clock_.now() < until_ns);
    learn(succeeded);
    return succeeded;
  }

  Nanos allowance_ns() const { return allowance_ns_; }

 private:
  static constexpr int kPausesPerLook = 16;  // looks at the clock are dearer than looks at a queue
  static constexpr int kProbeEvery = 16;
  static constexpr Nanos kLeastShare = 16;  // of the budget; below it the allowance counts as spent

  Nanos least_ns() const { return std::max<Nanos>(budget_ns_ / kLeastShare, 1); }

  bool worth_trying() { return allowance_ns_ > least_ns() || ++skipped_ % kProbeEvery == 0; }

  void learn(bool succeeded) {
    allowance_ns_ = succeeded ? std::min(allowance_ns_ * 2, budget_ns_)
                              : std::max(allowance_ns_ / 2, least_ns());
  }

  const Clock& clock_;
  const Nanos budget_ns_;
  Nanos allowance_ns_;
  int skipped_ = 0;
};

}  // namespace millrace
