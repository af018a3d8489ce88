// Threads that share fewer cores. One that has work takes a core, or waits in line for one; it
// keeps its core until it has nothing to do, or until its slice is over while another waits, and
// then goes to the end of the line. So a thread that wakes up while all cores are taken waits for
// whole slices of others, which is what most of a latency's tail is made of on a small machine.
//
// Threads that run slow each other down, all at the same rate, as in contention.h: there is one
// virtual clock, and a batch ends when it shows so much more than when it began, the time off the
// cores left out.
//
// It is an idealised scheduler: one line for all cores, no priorities, nothing else on the machine.
#pragma once

#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "simulator/event_heap.h"
#include "simulator/simulated_pipeline.h"

namespace millrace {

class Cores {
 public:
  // `slowdown` by how many cores are busy, [0] for one; beyond its end as at its end.
  Cores(const SimulatedCores& cores, std::vector<double> slowdown)
      : count_(cores.count),
        free_(cores.count),
        slice_(cores.slice),
        slowdown_(std::move(slowdown)) {}

  // Whether there are any to share.
  [[nodiscard]] bool applies() const { return count_ > 0; }

  // When a batch ends, or a slice that somebody waits for; kNever where neither will.
  [[nodiscard]] Nanos next() const { return next_; }

  // A thread, known by the batch's stage and seat, has work that takes `service` alone, on so many
  // cores at once (or on all there are). It goes on where it is if it has ended a batch that took
  // as many at this very instant.
  void start(const RunningBatch& batch, std::uint32_t cores, Nanos service, Nanos now);

  // Adds those that end now. Their threads keep their cores until settle().
  void take_ended(Nanos now, std::vector<RunningBatch>& ended);

  // After all decisions of an instant: who has no work leaves its core, who waits gets one.
  void settle(Nanos now);

 private:
  struct Thread {
    RunningBatch batch;
    std::uint32_t cores = 1;
    bool works = true;
    double end = 0;   // on a core: in virtual time; in line: what is left
    Nanos since = 0;  // on a core
  };

  void go_to(Nanos now);
  void leave_idle();
  bool preempt(Nanos now);
  void look_ahead();
  [[nodiscard]] Nanos real_end(double end) const;
  [[nodiscard]] double slowdown(std::uint32_t busy) const;

  std::uint32_t count_;
  std::uint32_t free_;
  Nanos slice_;
  std::vector<double> slowdown_;
  std::vector<Thread> running_;
  std::deque<Thread> line_;
  double virtual_now_ = 0;
  double slow_ = 1;
  Nanos real_now_ = 0;
  Nanos next_ = kNever;
};

}  // namespace millrace
