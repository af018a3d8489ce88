// The ends to come, first by time and then by the order in which their batches started. Four
// children a node: half as deep as a binary heap, for as many comparisons.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace millrace {

// Names a batch that runs.
struct RunningBatch {
  std::uint64_t sequence = 0;  // among all batches ever started
  std::uint32_t stage = 0;
  std::uint32_t seat = 0;  // at the stage
};

template <class Time>
class EventHeap {
 public:
  struct Event {
    Time time{};
    RunningBatch batch;

    [[nodiscard]] bool before(const Event& other) const {
      return time < other.time || (time == other.time && batch.sequence < other.batch.sequence);
    }
  };

  [[nodiscard]] bool empty() const { return events_.empty(); }
  [[nodiscard]] const Event& top() const { return events_.front(); }

  void push(const Event& event) {
    std::size_t at = events_.size();
    events_.push_back(event);
    while (at > 0) {
      const std::size_t above = (at - 1) / kChildren;
      if (!event.before(events_[above])) break;
      events_[at] = events_[above];
      at = above;
    }
    events_[at] = event;
  }

  void pop() {
    const Event moved = events_.back();
    events_.pop_back();
    if (events_.empty()) return;
    const std::size_t size = events_.size();
    std::size_t at = 0;
    for (std::size_t child = 1; child < size; child = at * kChildren + 1) {
      std::size_t first = child;
      const std::size_t behind = std::min(child + kChildren, size);
      for (std::size_t other = child + 1; other < behind; ++other) {
        if (events_[other].before(events_[first])) first = other;
      }
      if (!events_[first].before(moved)) break;
      events_[at] = events_[first];
      at = first;
    }
    events_[at] = moved;
  }

 private:
  static constexpr std::size_t kChildren = 4;

  std::vector<Event> events_;
};

}  // namespace millrace
