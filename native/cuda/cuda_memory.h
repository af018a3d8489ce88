// Memory of a device, and memory of the host that a device reaches without a copy in between
// (pinned). Both are slow to make, and for pinned memory the system must find pages that stay where
// they are: made once, and used again.
//
// One owner; the memory may be used by any thread, and by streams until it ends: whoever ends it
// has seen to it that none does.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "cuda/cuda_context.h"

namespace millrace {

class DeviceMemory {
 public:
  // Errors: kOutOfMemory; kInvalidOption for 0 bytes.
  static Result<DeviceMemory> allocate(std::shared_ptr<const CudaContext> context,
                                       std::size_t bytes);
  DeviceMemory() = default;

  // Blocks. Of what streams write it sees only what was known to be done. Errors: kInvalidOption
  // where it does not fit, and the driver's.
  Status read(std::size_t offset, std::span<std::byte> to) const;

  // Whether so many bytes lie in it from the offset on; else kInvalidOption.
  [[nodiscard]] Status check_fits(std::size_t bytes, std::size_t offset) const;

  cuda::DeviceAddress address() const { return owned_.get(); }
  std::size_t bytes() const { return bytes_; }

 private:
  CudaOwned<cuda::DeviceAddress, &cuda::DriverTable::free> owned_;
  std::size_t bytes_ = 0;
};

class PinnedMemory {
 public:
  // Errors: kOutOfMemory (of the host's memory that may be pinned); kInvalidOption for 0 bytes.
  static Result<PinnedMemory> allocate(std::shared_ptr<const CudaContext> context,
                                       std::size_t bytes);
  PinnedMemory() = default;

  std::span<std::byte> span() const { return {static_cast<std::byte*>(owned_.get()), bytes_}; }

 private:
  CudaOwned<void*, &cuda::DriverTable::free_host> owned_;
  std::size_t bytes_ = 0;
};

}  // namespace millrace
