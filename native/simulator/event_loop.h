// The event loop as a thread: it takes what comes one after the other, requests that go in and
// requests that are answered.
#pragma once

#include <cstdint>
#include <deque>

#include "base/clock.h"
#include "simulator/event_heap.h"

namespace millrace {

class EventLoop {
 public:
  struct Task {
    std::uint32_t request = 0;
    bool answers = false;
  };

  // Its batches are none of any stage, and the last of those that end at one instant.
  static constexpr RunningBatch kBatch{~std::uint64_t{0}, ~std::uint32_t{0}, 0};

  // How long a request keeps it when it comes, and when it is answered.
  EventLoop(Nanos request, Nanos answer) : request_(request), answer_(answer) {}

  void push(Task task) { tasks_.push_back(task); }

  [[nodiscard]] bool may_start() const { return !busy_ && !tasks_.empty(); }

  // How long what it begins with takes.
  Nanos begin() {
    busy_ = true;
    return tasks_.front().answers ? answer_ : request_;
  }

  Task end() {
    busy_ = false;
    const Task task = tasks_.front();
    tasks_.pop_front();
    return task;
  }

 private:
  Nanos request_;
  Nanos answer_;
  bool busy_ = false;
  std::deque<Task> tasks_;  // the first is what it does, where it is busy
};

}  // namespace millrace
