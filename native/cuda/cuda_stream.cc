#include "cuda/cuda_stream.h"

namespace millrace {

using Table = cuda::DriverTable;

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
  Status fits = to.check_fits(from.size(), offset);
  if (!fits.ok() || from.empty()) return fits;
  return owned_.context()(&Table::copy_to_device, to.address() + offset,
                          static_cast<const void*>(from.data()), from.size(), owned_.get());
}

Status CudaStream::copy_to_host(std::span<std::byte> to, const DeviceMemory& from,
                                std::size_t offset) {
  Status fits = from.check_fits(to.size(), offset);
  if (!fits.ok() || to.empty()) return fits;
  return owned_.context()(&Table::copy_to_host, static_cast<void*>(to.data()),
                          from.address() + offset, to.size(), owned_.get());
}

Status CudaStream::copy_on_device(const DeviceMemory& to, cuda::DeviceAddress from,
                                  std::size_t bytes, std::size_t offset) {
  Status fits = to.check_fits(bytes, offset);
  if (!fits.ok() || bytes == 0) return fits;
  return owned_.context()(&Table::copy_on_device, to.address() + offset, from, bytes, owned_.get());
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
