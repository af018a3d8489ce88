// How much memory of a device this process's own stages may take: reserved before it is allocated,
// so that what is left goes to others (ONNX Runtime's arena, another process) by plan and not by
// who came first. ONNX Runtime's own memory is not counted: `gpu_mem_limit` of its provider bounds
// it.
//
// Any thread.
#pragma once

#include <cstddef>
#include <mutex>
#include <utility>

#include "base/result.h"
#include "cuda/cuda_context.h"

namespace millrace {

class CudaBudget {
 public:
  static constexpr std::size_t kNoLimit = static_cast<std::size_t>(-1);

  // Of the device, in the whole process; leaked.
  static CudaBudget& of(const CudaContext& context);

  // Gives back what it reserved when it ends.
  class Share {
   public:
    Share() = default;
    Share(CudaBudget* budget, std::size_t bytes) : budget_(budget), bytes_(bytes) {}
    Share(Share&& other) noexcept
        : budget_(std::exchange(other.budget_, nullptr)), bytes_(other.bytes_) {}
    Share& operator=(Share&& other) noexcept {
      std::swap(budget_, other.budget_);
      std::swap(bytes_, other.bytes_);
      return *this;
    }
    ~Share() {
      if (budget_ != nullptr) budget_->give_back(bytes_);
    }

   private:
    CudaBudget* budget_ = nullptr;
    std::size_t bytes_ = 0;
  };

  // Errors: kOutOfMemory where more than `limit` would be taken with it, by all together.
  Result<Share> reserve(std::size_t bytes, std::size_t limit);

  [[nodiscard]] std::size_t taken() const;

 private:
  CudaBudget() = default;
  void give_back(std::size_t bytes);

  mutable std::mutex mutex_;
  std::size_t taken_ = 0;  // guarded by mutex_
};

}  // namespace millrace
