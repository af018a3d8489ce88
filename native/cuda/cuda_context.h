// The primary context of a device, which everybody in the process shares (ONNX Runtime's CUDA
// provider, too), and the way to make it current on a thread.
//
// Any thread. Whatever was made in a context keeps it.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>

#include "base/result.h"
#include "cuda/cuda_driver.h"

namespace millrace {

class CudaContext {
 public:
  struct MemoryInfo {
    std::size_t free_bytes = 0;
    std::size_t total_bytes = 0;
  };

  // Opens the device, which takes a while and some memory of it the first time. Errors:
  // kInvalidOption where there is no such device, and what the driver says.
  static Result<std::shared_ptr<const CudaContext>> open(const CudaDriver& driver, int index);

  CudaContext(const CudaContext&) = delete;
  CudaContext& operator=(const CudaContext&) = delete;
  ~CudaContext();

  const CudaDriver& driver() const { return driver_; }
  cuda::Device device() const { return device_; }
  Result<MemoryInfo> memory_info() const;

  // Such as 90 for compute capability 9.0.
  Result<int> compute_capability() const;

  // Calls an entry with the context current on this thread, and whatever was current before after
  // that.
  template <class... Formal, class... Arguments>
  Status operator()(cuda::Entry<Formal...> cuda::DriverTable::*entry,
                    Arguments... arguments) const {
    return inside([&] { return driver_(entry, arguments...); });
  }

 private:
  CudaContext(const CudaDriver& driver, cuda::Device device, cuda::Context* context)
      : driver_(driver), device_(device), context_(context) {}

  template <class Act>
  Status inside(Act&& act) const {
    Status entered = driver_(&cuda::DriverTable::push_context, context_);
    if (!entered.ok()) return entered;
    Status acted = act();
    cuda::Context* popped = nullptr;
    const Status left = driver_(&cuda::DriverTable::pop_context, &popped);
    return acted.ok() ? left : acted;
  }

  const CudaDriver& driver_;
  const cuda::Device device_;
  cuda::Context* const context_;
};

// Owns one thing of the driver; `Destroy` is the entry that ends it. Moved from or default:
// nothing. What goes wrong when it ends (the device is lost) has been reported by a call before
// that.
template <class Handle, auto Destroy>
class CudaOwned {
 public:
  CudaOwned() = default;
  CudaOwned(std::shared_ptr<const CudaContext> context, Handle handle)
      : context_(std::move(context)), handle_(handle) {}
  CudaOwned(CudaOwned&& other) noexcept
      : context_(std::move(other.context_)), handle_(std::exchange(other.handle_, Handle{})) {}
  CudaOwned& operator=(CudaOwned&& other) noexcept {
    std::swap(context_, other.context_);
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~CudaOwned() {
    if (handle_ != Handle{}) static_cast<void>((*context_)(Destroy, handle_));
  }

  Handle get() const { return handle_; }
  const CudaContext& context() const { return *context_; }

 private:
  std::shared_ptr<const CudaContext> context_;
  Handle handle_{};
};

}  // namespace millrace
