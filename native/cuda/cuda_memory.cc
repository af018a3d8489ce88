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

Status DeviceMemory::check_fits(std::size_t bytes, std::size_t offset) const {
  if (offset <= bytes_ && bytes <= bytes_ - offset) return {};
  return Error{ErrorCode::kInvalidOption,
               "a copy of " + std::to_string(bytes) + " bytes at offset " + std::to_string(offset) +
                   " does not fit device memory of " + std::to_string(bytes_)};
}

Status DeviceMemory::read(std::size_t offset, std::span<std::byte> to) const {
  Status fits = check_fits(to.size(), offset);
  if (!fits.ok() || to.empty()) return fits;
  return owned_.context()(&Table::read_memory, static_cast<void*>(to.data()), address() + offset,
                          to.size());
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
