// That the device of a model is lost to this process, and by which error the first knew.
#pragma once

#include <atomic>
#include <mutex>
#include <optional>

#include "base/result.h"

namespace millrace {

// Any thread. Never taken back.
class DeviceLoss {
 public:
  // The first counts.
  void note(const Error& why) {
    const std::lock_guard lock(mutex_);
    if (why_) return;
    why_ = why;
    lost_.store(true, std::memory_order_release);
  }

  // Null where it is not lost.
  [[nodiscard]] const Error* why() const {
    return lost_.load(std::memory_order_acquire) ? &*why_ : nullptr;
  }

 private:
  std::mutex mutex_;  // of note()
  std::optional<Error> why_;
  std::atomic<bool> lost_{false};  // released once, when why_ is written
};

}  // namespace millrace
