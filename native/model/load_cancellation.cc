#include "model/load_cancellation.h"

#include "model/ort_abi.h"

namespace millrace {

void LoadCancellation::stop(const Load& load) noexcept {
  const ort::Api& api = *load.api;
  // It has no way to fail that we could do anything about.
  if (auto* status = api[ort::kSessionOptionsSetLoadCancellationFlag](load.options, true)) {
    api[ort::kReleaseStatus](status);
  }
}

void LoadCancellation::cancel() noexcept {
  const std::lock_guard lock(mutex_);
  cancelled_ = true;
  for (const Load& load : loads_) stop(load);
  // A tree: locks are only ever taken downwards.
  for (const auto& child : below_) {
    if (const auto alive = child.lock()) alive->cancel();
  }
}

std::shared_ptr<LoadCancellation> LoadCancellation::below(LoadCancellation& parent) {
  auto child = std::make_shared<LoadCancellation>();
  const std::lock_guard lock(parent.mutex_);
  std::erase_if(parent.below_, [](const auto& one) { return one.expired(); });
  parent.below_.push_back(child);
  child->cancelled_ = parent.cancelled_;  // nobody else has it yet
  return child;
}

bool LoadCancellation::cancelled() const noexcept {
  const std::lock_guard lock(mutex_);
  return cancelled_;
}

LoadCancellation::Scope::Scope(LoadCancellation* cancellation, const ort::Api& api,
                               ort::SessionOptions* options)
    : cancellation_(cancellation), options_(options) {
  if (cancellation_ == nullptr) return;
  const std::lock_guard lock(cancellation_->mutex_);
  cancellation_->loads_.push_back({&api, options});
  if (cancellation_->cancelled_) stop(cancellation_->loads_.back());
}

LoadCancellation::Scope::~Scope() {
  if (cancellation_ == nullptr) return;
  const std::lock_guard lock(cancellation_->mutex_);
  std::erase_if(cancellation_->loads_,
                [this](const Load& load) { return load.options == options_; });
}

}  // namespace millrace
