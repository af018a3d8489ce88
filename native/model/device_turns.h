// Turns at a device that bears one user at a time: ONNX Runtime's WebGPU provider crashes where two
// runs meet, of whatever sessions. Loading, running and releasing a session on WebGPU each take a
// turn; the other providers need none, and their turns are empty and free.
//
// Turns go in the order in which they were asked for, over all engines of the process. Not covered:
// what another library of the process (onnxruntime-node itself) does with WebGPU.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>

#include "model/execution_provider.h"

namespace millrace {

// Any thread. A line of waiters, served first come, first served.
class TurnLine {
 public:
  // Blocks until it is this caller's turn, which then lasts until leave(); or, while it is not,
  // until `given_up` holds (it is looked at when somebody calls wake()): false, and no turn.
  bool enter(const std::function<bool()>& given_up);
  void leave();

  // Has those that wait look at `given_up` again. Holds a lock for as long as a glance takes.
  void wake();

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<int> line_;  // numbers of those who wait or, at the front, have their turn
  int next_ = 0;
};

// One turn at the device of a provider, for as long as this lives. Moved from or empty: none.
class DeviceTurn {
 public:
  // Waits for it, however long.
  static DeviceTurn take(ProviderKind kind);

  // The line of a provider; null where it bears any number of users.
  static TurnLine* line_of(ProviderKind kind);

  explicit DeviceTurn(TurnLine* line) : line_(line) {}
  DeviceTurn(DeviceTurn&& other) noexcept : line_(other.line_) { other.line_ = nullptr; }
  DeviceTurn(const DeviceTurn&) = delete;
  DeviceTurn& operator=(const DeviceTurn&) = delete;
  DeviceTurn& operator=(DeviceTurn&&) = delete;
  ~DeviceTurn() {
    if (line_ != nullptr) line_->leave();
  }

 private:
  TurnLine* line_;
};

}  // namespace millrace
