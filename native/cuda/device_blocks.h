// Blocks of a device's memory in which stages leave rows for others that run there (row_block.h).
// They are used again: a block that nobody holds waits here for a batch of its size, so that where
// traffic is steady nothing is allocated.
//
// Sizes are those of so many rows as is a power of two, so that small batches take little and most
// blocks fit the next. Blocks count in the budget of the device (cuda_budget.h), also while they
// wait, and are at most a quarter of that and of its memory: what is left is for replicas to come.
// They are given back to the device when somebody needs the room, and with the last who holds this
// or a block.
//
// Any thread. Of the driver only take() and give_way() call anything, and whoever ends the last.
#pragma once

#include <atomic>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "cuda/cuda_budget.h"
#include "cuda/cuda_context.h"
#include "cuda/cuda_memory.h"
#include "model/row_block.h"

namespace millrace {

class DeviceBlock;

class DeviceBlocks : public std::enable_shared_from_this<DeviceBlocks> {
 public:
  static constexpr std::size_t kShare = 4;  // blocks take one in so many bytes at most

  // Those of the device, in the whole process. Errors are the driver's.
  static Result<std::shared_ptr<DeviceBlocks>> of(std::shared_ptr<const CudaContext> context);

  // What Model::block_device() says of models on this device.
  static const void* device(const CudaContext& context) { return &CudaBudget::of(context); }

  // Gives back to the device what waits to be used again. Whether there was anything.
  static bool give_way(const CudaContext& context);

  ~DeviceBlocks();
  DeviceBlocks(const DeviceBlocks&) = delete;
  DeviceBlocks& operator=(const DeviceBlocks&) = delete;

  // A block that nobody else holds. `limit` as for CudaBudget::reserve. Errors: kOutOfMemory where
  // there is no room, and the driver's.
  Result<BlockHold> take(std::size_t bytes, std::size_t limit);

  // Of a block that was taken.
  static const DeviceMemory& memory_of(const BlockHold& taken);

 private:
  friend class DeviceBlock;

  DeviceBlocks(std::shared_ptr<const CudaContext> context, std::size_t most_bytes);
  BlockHold take_idle(std::size_t bytes);
  Result<BlockHold> make(std::size_t bytes, std::size_t limit);
  bool free_idle();
  void give_back(DeviceBlock& block);

  const std::shared_ptr<const CudaContext> context_;
  const std::size_t most_bytes_;
  std::atomic<std::size_t> bytes_{0};  // of all blocks, idle or held; relaxed: a bound, no data
  std::mutex mutex_;                   // never held while the driver is called
  std::map<std::size_t, std::vector<std::unique_ptr<DeviceBlock>>> idle_;  // by size; guarded
};

}  // namespace millrace
