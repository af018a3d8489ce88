#include "cuda/cuda_context.h"

#include <string>

namespace millrace {

using Table = cuda::DriverTable;

Result<std::shared_ptr<const CudaContext>> CudaContext::open(const CudaDriver& driver, int index) {
  int count = 0;
  if (driver.has_device()) {
    const Status counted = driver(&Table::device_count, &count);
    if (!counted.ok()) return counted.error();
  }
  if (index < 0 || index >= count) {
    return Error{ErrorCode::kInvalidOption, "there is no CUDA device " + std::to_string(index) +
                                                "; the driver has " + std::to_string(count)};
  }
  cuda::Device device = 0;
  const Status found = driver(&Table::device_at, &device, index);
  if (!found.ok()) return found.error();
  cuda::Context* context = nullptr;
  const Status retained = driver(&Table::retain_context, &context, device);
  if (!retained.ok()) return retained.error();
  return std::shared_ptr<const CudaContext>(new CudaContext(driver, device, context));
}

CudaContext::~CudaContext() {
  static_cast<void>(driver_(&Table::release_context, device_));
}

Result<CudaContext::MemoryInfo> CudaContext::memory_info() const {
  MemoryInfo info;
  const Status asked = (*this)(&Table::memory_info, &info.free_bytes, &info.total_bytes);
  if (!asked.ok()) return asked.error();
  return info;
}

Result<int> CudaContext::compute_capability() const {
  int major = 0;
  int minor = 0;
  Status asked = driver_(&Table::device_attribute, &major, cuda::Attribute::kComputeMajor, device_);
  if (asked.ok()) {
    asked = driver_(&Table::device_attribute, &minor, cuda::Attribute::kComputeMinor, device_);
  }
  if (!asked.ok()) return asked.error();
  return 10 * major + minor;
}

}  // namespace millrace
