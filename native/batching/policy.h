// The batching policy: pure functions that say what a free replica does next. The live engine and
// the simulator call the same two, in the same order, which is what makes an estimate honest:
//
//   decide(view, limits)  what waits     -> take so many of each class | wait until t | idle
//   judge(now, row, batch, limits)
//                         one taken row  -> run it | shed it: it cannot meet its deadline any more
//
// No clock, no threads, no allocation, no state. Times are monotonic nanoseconds, not negative.
//
// Not promised: only the head of each class is looked at. A row with a tighter deadline behind it
// neither makes a batch smaller nor ends its hold; it is shed when its turn comes too late.
//
// Under a backlog throughput comes first: a head that cannot afford a full batch is left to
// judge(), which sheds it, rather than made to shrink every batch. Whoever sheds tops the batch up.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/clock.h"
#include "batching/latency_table.h"

namespace millrace {

// Priority classes, 0 is served first. Within a class rows are served in order of arrival.
inline constexpr std::size_t kPriorityClasses = 3;

struct ClassView {
  std::size_t waiting = 0;
  Nanos oldest_enqueued = 0;  // of the row at the head of the class; read only when waiting > 0
  Nanos head_deadline = kNever;
};

struct QueueView {
  Nanos now = 0;
  std::array<ClassView, kPriorityClasses> classes;
};

struct BatchingLimits {
  std::size_t max_batch = 1;  // at least 1

  // How long the oldest row may be held back so that the batch fills, and never for more than half
  // of what is left until the head's deadline after its service time. 0 is work-conserving: a free
  // replica takes what waits, at once (InferLine, section 4.2).
  Nanos max_delay = 0;

  // A class that waited this long is served as if it were one class higher, twice this long two
  // classes, and so on, so that low priority never starves. 0 turns ageing off.
  Nanos ageing = 100 * kNanosPerMilli;

  // Where known, the batch is kept small enough for the head row's deadline. Not owned; may be
  // null.
  const LatencyTable* latency = nullptr;

  // What a row of each class still has before it once its batch has ended: the least time to the
  // end of the pipeline (forecast.h).
  std::array<Nanos, kPriorityClasses> rest{};
};

struct Decision {
  enum class Action : std::uint8_t { kIdle, kTake, kWait };

  Action action = Action::kIdle;
  Nanos wait_until = kNever;  // with kWait

  // With kTake: the classes, first to be served first, and how many rows of each, indexed by class.
  std::array<std::uint8_t, kPriorityClasses> order{};
  std::array<std::size_t, kPriorityClasses> take{};
};

enum class Verdict : std::uint8_t { kRun, kShed };

struct JudgedRow {
  Nanos deadline = kNever;
  std::size_t priority = 0;
};

// The class that rows of class `index` are served as: their own, less one for each ageing period
// the head of their class has waited. Some wait in it.
Nanos served_as(const QueueView& view, std::size_t index, Nanos ageing);

inline Decision decide(const QueueView& view, const BatchingLimits& limits);

// A row is shed when a batch of `batch` rows, started now, would not end in time for its deadline
// and for what comes after this stage.
Verdict judge(Nanos now, const JudgedRow& row, std::size_t batch, const BatchingLimits& limits);

// What decide() is made of: any view, and one where a single class waits whose head has no
// deadline. Of that one they say the same; the second is there because a simulation asks some ten
// million times a second.
Decision decide_among(const QueueView& view, const BatchingLimits& limits);

inline Decision decide_alone(Nanos now, std::size_t index, const ClassView& one,
                             const BatchingLimits& limits) {
  Decision decision;
  if (limits.max_delay > 0 && one.waiting < limits.max_batch) {
    const Nanos hold = kNever - one.oldest_enqueued;
    const Nanos until = one.oldest_enqueued + (hold < limits.max_delay ? hold : limits.max_delay);
    if (now < until) {
      decision.action = Decision::Action::kWait;
      decision.wait_until = until;
      return decision;
    }
  }
  decision.action = Decision::Action::kTake;
  decision.order[0] = static_cast<std::uint8_t>(index);
  decision.order[1] = index == 0 ? 1 : 0;
  decision.order[2] = index == 2 ? 1 : 2;
  decision.take[index] = one.waiting < limits.max_batch ? one.waiting : limits.max_batch;
  return decision;
}

inline Decision decide(const QueueView& view, const BatchingLimits& limits) {
  static_assert(kPriorityClasses == 3);
  const auto& classes = view.classes;
  const bool others[] = {classes[1].waiting + classes[2].waiting > 0,
                         classes[0].waiting + classes[2].waiting > 0,
                         classes[0].waiting + classes[1].waiting > 0};
  for (std::size_t i = 0; i < kPriorityClasses; ++i) {
    const bool alone = classes[i].waiting > 0 && !others[i];
    if (alone && classes[i].head_deadline == kNever) {
      return decide_alone(view.now, i, classes[i], limits);
    }
  }
  return decide_among(view, limits);
}

}  // namespace millrace
