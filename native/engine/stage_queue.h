// What waits for a stage: a common lane, and where rows vary in shape, a lane for each bucket of
// shapes (row_shapes.h), so that what waits in a lane makes a full batch.
//
//   lane 0        all rows of a stage whose rows are alike, or whose model takes them as they are;
//                 elsewhere those that found no room in a lane of their own: batched by runs of
//                 equal bucket
//   lane 1 .. 32  one bucket each; made when its first row comes, and kept. When all are taken, one
//                 in which nothing waits is given to the bucket that needs it.
//
// Any thread may push; replicas claim and release. Slots stay taken while the batch that claimed
// them runs, and a ring hands them out again in order: one batch that takes very long stops its
// ring after a lap. Rows then go to the common lane, there to the rings of other classes, and out
// of their turn; only when all three are held up is the queue full.
//
// Not promised: that a lane holds nothing but rows of its bucket. Who was looking for a lane while
// it was given to another bucket still pushes; the ring keeps runs of different buckets apart.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "batching/policy.h"
#include "engine/lane.h"
#include "engine/layout.h"
#include "engine/request.h"
#include "engine/row_shapes.h"
#include "queue/event_count.h"

namespace millrace {

class StageQueue {
 public:
  enum class Push : std::uint8_t { kQueued, kFull, kWrongShape };

  static constexpr std::size_t kCommonLane = 0;
  static constexpr std::size_t kShapeLanes = 32;

  // `capacity` rows a class. The three outlive the queue.
  StageQueue(const StageSpec& spec, const StageLayout& stage, const Layout& layout,
             std::size_t capacity);

  // Copies the row's inputs in and makes it visible; does not wake anybody: call notify() after the
  // last of a burst. May make a lane, but waits for nobody.
  Push push(const RowRef& row, Nanos now);
  void notify(std::size_t rows);

  // What waits in each lane; `views` is overwritten.
  void view(Nanos now, const BatchingLimits& limits, std::vector<QueueView>& views) const;
  [[nodiscard]] std::size_t waiting(std::size_t priority) const;
  [[nodiscard]] std::size_t waiting() const;  // of all classes

  // Whether a replica would find something to take. Unlike waiting(), not so for a row that is
  // being pushed: whoever pushes it will notify().
  [[nodiscard]] bool ready() const;

  // The common lane, and those made so far.
  [[nodiscard]] std::size_t lanes() const { return lanes_made_.load(std::memory_order_acquire); }
  [[nodiscard]] const Lane& lane(std::size_t index) const { return *lanes_[index].lane; }

  [[nodiscard]] const RowShapes& shapes() const { return shapes_; }

  // At most one thread at a time is let through to spin on this queue; it ends what it began.
  bool try_begin_spin() { return !spinning_.exchange(true, std::memory_order_relaxed); }
  void end_spin() { spinning_.store(false, std::memory_order_relaxed); }

  EventCount parked;  // replicas with nothing to do

 private:
  struct LaneEntry {
    // Relaxed: a hint. The rows themselves say what they are.
    std::atomic<std::uint64_t> shape{0};
    // Written with lanes_mutex_ before lanes_made_ (release) says that it is there (acquire).
    std::unique_ptr<Lane> lane;
  };

  std::optional<Push> push_to(std::size_t lane, std::size_t priority, const SlotKey& key,
                              const RowRef& row);
  [[nodiscard]] std::size_t find_lane(std::uint64_t shape) const;
  std::size_t lane_for(std::uint64_t shape, std::size_t priority);
  std::size_t give_lane(std::uint64_t shape);
  bool write_inputs(const RowRef& row, const Lane& lane, std::size_t priority,
                    std::uint64_t position) const;
  [[nodiscard]] std::uint64_t shape_of(const Request& request, std::uint32_t row) const;

  const StageSpec& spec_;
  const StageLayout& stage_;
  const Layout& layout_;
  const RowShapes shapes_;
  const std::size_t shape_lane_capacity_;
  std::array<LaneEntry, 1 + kShapeLanes> lanes_;
  std::atomic<std::size_t> lanes_made_{0};  // written with lanes_mutex_
  std::mutex lanes_mutex_;                  // only ever tried
  std::size_t next_given_ = 1;              // guarded by lanes_mutex_
  std::atomic<bool> spinning_{false};       // no data comes with it
};

}  // namespace millrace
