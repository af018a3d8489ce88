// The batching policy: pure functions that say what a free replica does next. The live engine and
// the simulator call the same two, in the same order, which is what makes an estimate honest:
//
//   decide(view, limits)  what waits     -> take so many of each class | wait until t | idle
//   judge(now, deadline)  one taken row  -> run it | shed it: it cannot meet its deadline any more
//
// No clock, no threads, no allocation, no state. Times are monotonic nanoseconds, not negative.
//
// Not promised: only the head of each class is looked at. A row with a tighter deadline behind it
// neither makes a batch smaller nor ends its hold; it is shed when its turn comes too late.
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

// The class that rows of class `index` are served as: their own, less one for each ageing period
// the head of their class has waited. Some wait in it.
Nanos served_as(const QueueView& view, std::size_t index, Nanos ageing);

Decision decide(const QueueView& view, const BatchingLimits& limits);

// A row is shed when even a batch of one, started now, would not end before its deadline.
Verdict judge(Nanos now, Nanos deadline, const BatchingLimits& limits);

}  // namespace millrace
