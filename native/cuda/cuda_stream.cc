#include "cuda/cuda_stream.h"

#include <string>

namespace millrace {
namespace {

using Table = cuda::DriverTable;

Status check_fits(std::size_t bytes, std::size_t offset, const DeviceMemory& memory) {
  if (offset <= memory.bytes() && bytes <= memory.bytes() - offset) return {};
  return Error{ErrorCode::kInvalidOption,
               "a copy of " + std::to_string(bytes) + " bytes at offset " + std::to_string(offset) +
                   " does not fit device memory of " + std::to_string(memory.bytes())};
}

}  // namespace

Result<CudaEvent> CudaEvent::create(std::shared_ptr<const CudaContext> context) {
  cuda::Event* event = nullptr;
  const Status created = (*context)(&Table::create_event, &event, cuda::kEventDisableTiming);
  if (!created.ok()) return created.error();
  CudaEvent owner;
  owner.owned_ = {std::move(context), event};
  return owner;
}

Result<bool> CudaEvent::is_done() const {
  return owned_.context().driver().ask(&Table::query_event, owned_.get());
}

Status CudaEvent::wait() const {
  return owned_.context()(&Table::synchronize_event, owned_.get());
}

Result<CudaStream> CudaStream::create(std::shared_ptr<const CudaContext> context) {
  cuda::Stream* stream = nullptr;
  const Status created = (*context)(&Table::create_stream, &stream, cuda::kStreamNonBlocking);
  if (!created.ok()) return created.error();
  CudaStream owner;
  owner.owned_ = {std::move(context), stream};
  return owner;
}

Status CudaStream::copy_to_device(const DeviceMemory& to, std::span<const std::byte> from,
                                  std::size_t offset) {
  Status fits = check_fits(from.size(), offset, to);
  if (!fits.ok() || from.empty()) return fits;
  return owned_.context()(&Table::copy_to_device, to.address() + offset,
                          static_cast<const void*>(from.data()), from.size(), owned_.get());
}

Status CudaStream::copy_to_host(std::span<std::byte> to, const DeviceMemory& from,
                                std::size_t offset) {
  Status fits = check_fits(to.size(), offset, from);
  if (!fits.ok() || to.empty()) return fits;
  return owned_.context()(&Table::copy_to_host, static_cast<void*>(to.data()),
                          from.address() + offset, to.size(), owned_.get());
}

Status CudaStream::copy_on_device(const DeviceMemory& to, const DeviceMemory& from,
                                  std::size_t bytes) {
  Status fits = check_fits(bytes, 0, to);
  if (fits.ok()) fits = check_fits(bytes, 0, from);
  if (!fits.ok() || bytes == 0) return fits;
  return owned_.context()(&Table::copy_on_device, to.address(), from.address(), bytes,
                          owned_.get());
}

Status CudaStream::record(const CudaEvent& event) {
  return owned_.context()(&Table::record_event, event.owned_.get(), owned_.get());
}

Status CudaStream::wait_for(const CudaEvent& event) {
  return owned_.context()(&Table::wait_for_event, owned_.get(), event.owned_.get(), 0U);
}

Result<bool> CudaStream::is_done() const {
  return owned_.context().driver().ask(&Table::query_stream, owned_.get());
}

Status CudaStream::synchronize() const {
  return owned_.context()(&Table::synchronize_stream, owned_.get());
}

}  // namespace millrace
