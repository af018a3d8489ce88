// A device of CUDA for models that ONNX Runtime runs there (model/block_device.h): blocks of the
// same pool, and from the same budget, as those of kernels (device_blocks.h), so that both read
// what the other left.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "cuda/cuda_budget.h"
#include "cuda/cuda_context.h"
#include "cuda/device_blocks.h"
#include "model/block_device.h"

namespace millrace {

class CudaBlockDevice final : public BlockDevice {
 public:
  struct Options {
    std::string driver;  // file to load in place of the system's; empty: the system's
    int device = 0;

    // As for kernels: what all of the process may take.
    std::size_t memory_limit = CudaBudget::kNoLimit;
  };

  // Opens the device. Errors: those of CudaDriver::load and CudaContext::open.
  static Result<std::shared_ptr<BlockDevice>> open(const Options& options);

  [[nodiscard]] const void* id() const override { return DeviceBlocks::device(*context_); }
  [[nodiscard]] int index() const override { return index_; }
  Result<std::unique_ptr<BlockUser>> use() override;

 private:
  CudaBlockDevice(std::shared_ptr<const CudaContext> context, const Options& options)
      : context_(std::move(context)), index_(options.device), limit_(options.memory_limit) {}

  const std::shared_ptr<const CudaContext> context_;
  const int index_;
  const std::size_t limit_;
};

}  // namespace millrace
