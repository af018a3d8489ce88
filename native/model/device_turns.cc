#include "model/device_turns.h"

#include <algorithm>

namespace millrace {

bool TurnLine::enter(const std::function<bool()>& given_up) {
  std::unique_lock lock(mutex_);
  const int number = next_++;
  line_.push_back(number);
  while (line_.front() != number) {
    if (given_up && given_up()) {
      line_.erase(std::find(line_.begin(), line_.end(), number));
      return false;
    }
    changed_.wait(lock);
  }
  return true;
}

void TurnLine::leave() {
  {
    const std::lock_guard lock(mutex_);
    line_.pop_front();
  }
  changed_.notify_all();
}

// The lock makes sure that whoever has looked is asleep by now, and hears it.
void TurnLine::wake() {
  { const std::lock_guard lock(mutex_); }
  changed_.notify_all();
}

TurnLine* DeviceTurn::line_of(ProviderKind kind) {
  // Leaked: threads may still wait while the process exits.
  static auto* const webgpu = new TurnLine;
  return kind == ProviderKind::kWebGpu ? webgpu : nullptr;
}

DeviceTurn DeviceTurn::take(ProviderKind kind) {
  TurnLine* line = line_of(kind);
  if (line != nullptr) line->enter({});
  return DeviceTurn(line);
}

}  // namespace millrace
