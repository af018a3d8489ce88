// A device on which rows stay between stages (row_block.h), as a model asks it that is run by
// somebody else's code: ONNX Runtime computes there, but of blocks it knows nothing.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "base/result.h"
#include "model/row_block.h"

namespace millrace {

// What one runner does there. Used by one thread at a time; blocks that wait to be used again stay
// with the device for as long as there is any.
class BlockUser {
 public:
  virtual ~BlockUser() = default;

  // A block that nobody else holds. Errors: kOutOfMemory where there is no room, and the device's.
  virtual Result<BlockHold> take(std::size_t bytes) = 0;

  // Begins to copy rows, wherever they lie, into a block that was taken, one behind the other from
  // `at` on. They stay as they are until wait() has returned, also where this fails.
  virtual Status begin_copy(std::span<const RowHandle> rows, std::size_t row_bytes,
                            const BlockHold& to, std::size_t at) = 0;

  // Blocks until all copies that were begun have ended. Errors are theirs.
  virtual Status wait() = 0;

  // Blocks until all that anybody in this process has begun on the device has ended. Errors:
  // kDeviceLost, and what else the device says.
  virtual Status settle() = 0;
};

// Any thread.
class BlockDevice {
 public:
  virtual ~BlockDevice() = default;

  // What Model::block_device() says of models on this device.
  [[nodiscard]] virtual const void* id() const = 0;

  // Which of the devices of its kind.
  [[nodiscard]] virtual int index() const = 0;

  // Errors are the device's.
  virtual Result<std::unique_ptr<BlockUser>> use() = 0;
};

}  // namespace millrace
