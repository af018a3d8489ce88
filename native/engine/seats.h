// The places of replicas, stage by stage. A seat is never freed while the engine lives: what it
// counts goes on with the next replica in it, and the owner may look at what it runs without a
// lock.
//
//   seats of a stage   | serve | serve | serve | on their way in, on their way out, empty ... |
//                                              ^ filled
//
// Threads: one control thread at a time, who alone changes anything; look() is the owner's; the
// rest any thread's. Nothing here waits but dismiss().
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "engine/replica.h"
#include "engine/run_watch.h"
#include "engine/stats.h"

namespace millrace {

struct Seat {
  std::uint32_t number = 0;  // among those of its stage, for good
  ReplicaStats stats;
  RunWatch watch;
  std::unique_ptr<Replica> replica;  // guarded by the mutex of Seats; control alone changes it
};

class Seats {
 public:
  explicit Seats(std::size_t stages) : stages_(stages) {}

  // Control --------------------------------------------------------------------------------------

  // One with nobody in it, behind those that serve. It is taken by sit(), not by this.
  Seat& empty(std::size_t stage);

  // From here on terminate() reaches the replica.
  void sit(Seat& seat, std::unique_ptr<Replica> replica);

  // The replica, which was started, serves and counts.
  void open(std::size_t stage, Seat& seat);

  // Those that serve.
  [[nodiscard]] std::vector<Seat*> serving(std::size_t stage) const;

  // Seats of one stage, opened or not. They count no more at once; returns when their batches
  // ended.
  void dismiss(std::size_t stage, std::span<Seat* const> seats);

  // Any thread -----------------------------------------------------------------------------------

  // Makes the batches in progress, warming up included, fail soon.
  void terminate();

  [[nodiscard]] std::size_t serving_count(std::size_t stage) const;

  // Calls add(stats) for every seat of the stage.
  template <class Add>
  void each_stats(std::size_t stage, Add&& add) const {
    const std::lock_guard lock(mutex_);
    for (const auto& seat : stages_[stage].all) add(seat->stats);
  }

  // Owner: interrupts every run that nobody wants. Takes no lock.
  void look();

 private:
  struct StageSeats {
    std::vector<std::unique_ptr<Seat>> all;
    std::size_t filled = 0;  // the first so many serve
  };

  static std::size_t position(const StageSeats& seats, const Seat& seat);

  mutable std::mutex mutex_;        // held briefly
  std::vector<StageSeats> stages_;  // changed by control with the mutex; others read with it

  // Control pushes (release), the owner walks it (acquire); nothing is ever taken out.
  std::atomic<RunWatch*> watches_{nullptr};
};

}  // namespace millrace
