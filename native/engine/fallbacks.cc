#include "engine/fallbacks.h"

#include <utility>

namespace millrace {

void Fallbacks::note(std::size_t stage, const Error* reason) {
  if (reason == nullptr) return;
  const std::lock_guard lock(mutex_);
  if (reasons_[stage]) return;
  reasons_[stage] = reason->message;
  untold_.push_back({stage, reason->message});
  any_untold_.store(true, std::memory_order_release);
}

void Fallbacks::clear(std::size_t stage) {
  const std::lock_guard lock(mutex_);
  reasons_[stage].reset();
  std::erase_if(untold_, [stage](const Move& move) { return move.stage == stage; });
}

std::optional<std::string> Fallbacks::reason(std::size_t stage) const {
  const std::lock_guard lock(mutex_);
  return reasons_[stage];
}

std::vector<Fallbacks::Move> Fallbacks::take() {
  if (!any_untold_.load(std::memory_order_acquire)) return {};
  const std::lock_guard lock(mutex_);
  any_untold_.store(false, std::memory_order_relaxed);
  return std::exchange(untold_, {});
}

}  // namespace millrace
