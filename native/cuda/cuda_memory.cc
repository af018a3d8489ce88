#include "cuda/cuda_memory.h"

#include <string>

namespace millrace {
namespace {

using Table = cuda::DriverTable;

Status check_bytes(std::size_t bytes) {
  if (bytes > 0) return {};
  return Error{ErrorCode::kInvalidOption, "expected at least 1 byte of memory, got 0"};
}

}  // namespace

Result<DeviceMemory> DeviceMemory::allocate(std::shared_ptr<const CudaContext> context,
                                            std::size_t bytes) {
  const Status checked = check_bytes(bytes);
  if (!checked.ok()) return checked.error();
  cuda::DeviceAddress address = 0;
  const Status allocated = (*context)(&Table::allocate, &address, bytes);
  if (!allocated.ok()) return allocated.error();
  DeviceMemory memory;
  memory.owned_ = {std::move(context), address};
  memory.bytes_ = bytes;
  return memory;
}

Result<PinnedMemory> PinnedMemory::allocate(std::shared_ptr<const CudaContext> context,
                                            std::size_t bytes) {
  const Status checked = check_bytes(bytes);
  if (!checked.ok()) return checked.error();
  void* address = nullptr;
  const Status allocated = (*context)(&Table::allocate_host, &address, bytes, cuda::kHostPortable);
  if (!allocated.ok()) return allocated.error();
  PinnedMemory memory;
  memory.owned_ = {std::move(context), address};
  memory.bytes_ = bytes;
  return memory;
}

}  // namespace millrace
