// Pinned memory for the rows that wait for a stage on a device: what lies in it is copied to the
// device from where it lies, while the processor does something else.
//
// Any thread. What was allocated keeps the context, and may outlive everything else of it.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>

#include "cuda/cuda_context.h"
#include "model/model.h"

namespace millrace {

class PinnedArena final : public HostMemory {
 public:
  // More at once is not pinned: pinned pages are taken from everybody for good.
  static constexpr std::size_t kMostBytes = std::size_t{256} << 20;

  explicit PinnedArena(std::shared_ptr<const CudaContext> context) : context_(std::move(context)) {}

  // Null where it is more than kMostBytes, or the system has no more pages to pin.
  std::shared_ptr<std::byte[]> allocate(std::size_t bytes) override;

  // Whether all of this was allocated here, by any arena of the process.
  static bool holds(const std::byte* data, std::size_t bytes);

 private:
  const std::shared_ptr<const CudaContext> context_;
};

}  // namespace millrace
