// What each row of a request has been through, stage by stage: when it was queued, when its batch
// began and ended, which batch that was, and how the visit ended. Written down for requests that
// ask for it (SubmitOptions::record_visits) and for no others.
//
//   visit   | none | waiting | running | ended |     its state only moves to the right
//             add()   begin()    end()               (from waiting to ended where it does not run)
//
// There is room for kMost visits a request, rows and items together; what comes later is counted
// and left out. A row that is run again, because others of its batch failed, stays in its visit:
// `attempts` counts the runs, and `run` tells of the last.
//
// Threads
//   owner   reset(), before the request is shared; each() and total() at any time after that, also
//           while rows of a request that was settled early are still on their way.
//   others  add() by whoever moves the row to the stage; begin() and end() by whoever has the row
//           then: one thread at a time, and each hands the row on as it hands on its values.
//
// Memory orders: every field is written once, by one thread, before the state that says it is there
// is stored (release); each() reads the state first (acquire). The count of visits is relaxed: it
// hands out places and brings no data. Whoever has the request's last word (Settlement) sees all of
// them, since every row was handed over in between.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/clock.h"

namespace millrace {

enum class VisitState : std::uint8_t {
  kNone,
  kWaiting,  // in the queue, or for an equal row that is on its way
  kRunning,
  // Ended:
  kRan,
  kFailed,
  kSkipped,      // its request was settled meanwhile
  kShed,         // its deadline could not be met any more
  kRefused,      // the queue of the stage was full
  kInterrupted,  // nobody waited for its batch any more, which was ended
  kHit,          // the cache had its result
  kShared,       // it was given the result of an equal row
};

// A run of a batch.
struct VisitRun {
  Nanos began = 0;
  std::uint64_t batch = 0;  // its number, from 1; 0 where it was not run
  std::uint32_t rows = 0;
  std::uint32_t replica = 0;  // of the stage
  std::uint32_t threads = 0;  // of the model
};

// Where a visit is made.
struct VisitPlace {
  std::uint32_t stage = 0;
  std::uint32_t row = 0;   // of the request
  std::int32_t item = -1;  // of those that the row above it was made into; -1 for a row
};

class Visit {
 public:
  // What is there in any state but kNone.
  VisitPlace place;
  Nanos queued = 0;

  // From kRunning on; where it has ended, if there were any attempts.
  Nanos began = 0;  // of the first run

  // Once it has ended.
  Nanos ended = 0;
  std::uint32_t attempts = 0;
  VisitRun run;  // that brought the end, if one did

 private:
  friend class Visits;
  std::atomic<VisitState> state_{VisitState::kNone};
};

class Visits {
 public:
  static constexpr std::uint32_t kMost = 256;

  // Owner: forgets everything, and makes room for so many, kMost at most.
  void reset(std::size_t room);

  // The number of a new visit, to be handed on with the row; 0 where there is no room.
  std::uint32_t add(const VisitPlace& place, Nanos now);

  // Nothing is done for a visit of number 0, nor for one that has ended: its first end counts. No
  // visit ends before it was queued, though who attaches to a run that is just over is handed its
  // moment, which was read before.
  void begin(std::uint32_t visit, Nanos now);
  void end(std::uint32_t visit, Nanos now, VisitState state, const VisitRun& run = {});

  // Owner: look(visit, state) for each that is there, in the order in which they were added.
  template <class Look>
  void each(Look&& look) const {
    const std::uint32_t count = added_.load(std::memory_order_relaxed);
    for (std::uint32_t i = 0; i < count && i < room_; ++i) {
      const VisitState state = visits_[i].state_.load(std::memory_order_acquire);
      if (state != VisitState::kNone) look(visits_[i], state);
    }
  }

  // Owner: those that were left out, too.
  [[nodiscard]] std::uint32_t total() const { return added_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint32_t room() const { return room_; }

 private:
  std::atomic<std::uint32_t> added_{0};
  std::uint32_t room_ = 0;      // written by the owner in reset()
  std::uint32_t capacity_ = 0;  // the same
  std::unique_ptr<Visit[]> visits_;
};

}  // namespace millrace
