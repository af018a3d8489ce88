#include "cuda/cuda_budget.h"

#include <map>
#include <memory>
#include <string>

namespace millrace {

CudaBudget& CudaBudget::of(const CudaContext& context) {
  using Key = std::pair<const CudaDriver*, cuda::Device>;
  static std::mutex mutex;
  static auto* const budgets = new std::map<Key, std::unique_ptr<CudaBudget>>;
  const std::lock_guard lock(mutex);
  std::unique_ptr<CudaBudget>& budget = (*budgets)[{&context.driver(), context.device()}];
  if (budget == nullptr) budget.reset(new CudaBudget);
  return *budget;
}

Result<CudaBudget::Share> CudaBudget::reserve(std::size_t bytes, std::size_t limit) {
  const std::lock_guard lock(mutex_);
  if (taken_ <= limit && bytes <= limit - taken_) {
    taken_ += bytes;
    return Share(this, bytes);
  }
  return Error{ErrorCode::kOutOfMemory, std::to_string(bytes) +
                                            " bytes of the device do not fit the budget of " +
                                            std::to_string(limit) + " (gpuMemoryBytes), of which " +
                                            std::to_string(taken_) + " are taken"};
}

std::size_t CudaBudget::taken() const {
  const std::lock_guard lock(mutex_);
  return taken_;
}

void CudaBudget::give_back(std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  taken_ -= bytes;
}

}  // namespace millrace
