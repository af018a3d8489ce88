// What waits for a stage: one ring a priority class, and beside each ring the arena its rows live
// in.
//
// A slot of the ring owns one row of the arena of every input whose rows have a fixed size, so n
// neighbouring slots are a batch tensor as they stand:
//
//   ring of a class    | slot 0 | slot 1 | slot 2 | ...   RowRef: whose row
//   arena of an input  | row 0  | row 1  | row 2  | ...   its bytes, there before the slot is seen
//
// Any thread may push; replicas claim and release. Slots stay taken while the batch that claimed
// them runs, and a ring hands them out again in order: one batch that takes very long stops its
// ring after a lap. Rows then go to the rings of other classes, and out of their turn; only when
// all three are held up is the queue full.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/aligned_buffer.h"
#include "batching/policy.h"
#include "engine/layout.h"
#include "engine/request.h"
#include "queue/event_count.h"
#include "queue/ring.h"

namespace millrace {

struct RowRef {
  Request* request;
  std::uint32_t row;
};

class StageQueue {
 public:
  enum class Push : std::uint8_t { kQueued, kFull, kWrongShape };

  // `capacity` rows a class. The three outlive the queue.
  StageQueue(const StageSpec& spec, const StageLayout& stage, const Layout& layout,
             std::size_t capacity);

  // Copies the row's inputs in and makes it visible; does not wake anybody: call notify() after the
  // last of a burst.
  Push push(Request& request, std::uint32_t row, Nanos now);
  void notify(std::size_t rows);

  [[nodiscard]] QueueView view(Nanos now) const;
  [[nodiscard]] std::size_t waiting() const;
  [[nodiscard]] std::size_t waiting(std::size_t priority) const {
    return classes_[priority].ring.size();
  }

  // Whether a replica would find something to take. Unlike waiting(), not so for a row that is
  // being pushed: whoever pushes it will notify().
  [[nodiscard]] bool ready() const;

  Ring<RowRef>& ring(std::size_t priority) { return classes_[priority].ring; }

  // The arena row of a claimed slot; null where the input's rows have no fixed size.
  [[nodiscard]] const std::byte* arena_row(std::size_t priority, std::size_t input,
                                           std::uint64_t position) const;

  // At most one thread at a time is let through to spin on this queue; it ends what it began.
  bool try_begin_spin() { return !spinning_.exchange(true, std::memory_order_relaxed); }
  void end_spin() { spinning_.store(false, std::memory_order_relaxed); }

  EventCount parked;  // replicas with nothing to do

 private:
  struct PriorityClass {
    explicit PriorityClass(std::size_t capacity) : ring(capacity) {}
    Ring<RowRef> ring;
    std::vector<AlignedBuffer> arenas;  // per input
  };

  bool write_inputs(const Request& request, std::uint32_t row, std::size_t index,
                    std::vector<AlignedBuffer>& arenas) const;
  [[nodiscard]] std::uint64_t shape_of(const Request& request, std::uint32_t row) const;

  const StageSpec& spec_;
  const StageLayout& stage_;
  const Layout& layout_;
  std::array<PriorityClass, kPriorityClasses> classes_;
  std::atomic<bool> spinning_{false};  // no data comes with it
};

}  // namespace millrace
