#include "cuda/cuda_devices.h"

#include <array>

#include "cuda/cuda_driver.h"

namespace millrace {
namespace {

using Table = cuda::DriverTable;

// Of a series of calls the first failure, which the later ones wait for.
class Calls {
 public:
  explicit Calls(const CudaDriver& driver) : driver_(driver) {}

  template <class Entry, class... Arguments>
  Calls& operator()(Entry entry, Arguments... arguments) {
    if (status_.ok()) status_ = driver_(entry, arguments...);
    return *this;
  }
  const Status& status() const { return status_; }

 private:
  const CudaDriver& driver_;
  Status status_;
};

Result<CudaDeviceInfo> describe(const CudaDriver& driver, int index, const Nvml* nvml) {
  CudaDeviceInfo info;
  info.index = index;
  cuda::Device device = 0;
  std::array<char, 256> name{};
  std::array<char, 64> bus_id{};
  std::size_t memory = 0;
  int major = 0;
  int minor = 0;
  Calls call(driver);
  call(&Table::device_at, &device, index);
  if (!call.status().ok()) return call.status().error();
  call(&Table::device_name, name.data(), static_cast<int>(name.size()), device)(
      &Table::device_bus_id, bus_id.data(), static_cast<int>(bus_id.size()), device)(
      &Table::device_memory, &memory, device)(&Table::device_attribute, &major,
                                              cuda::Attribute::kComputeMajor, device)(
      &Table::device_attribute, &minor, cuda::Attribute::kComputeMinor, device);
  if (!call.status().ok()) return call.status().error();
  info.name = name.data();
  info.memory_bytes = memory;
  info.compute_capability = std::to_string(major) + "." + std::to_string(minor);
  if (nvml != nullptr) info.reading = nvml->read(bus_id.data());
  return info;
}

}  // namespace

Result<CudaReport> list_cuda_devices(const CudaLibraries& libraries) {
  const Result<const CudaDriver*> loaded = CudaDriver::load(libraries.driver);
  if (!loaded.ok()) return loaded.error();
  const CudaDriver& driver = *loaded.value();
  const Result<const Nvml*> nvml = Nvml::load(libraries.nvml);

  CudaReport report;
  report.cuda_version = driver.cuda_version();
  if (nvml.ok()) report.driver_version = nvml.value()->driver_version();
  if (!driver.has_device()) return report;
  int count = 0;
  const Status counted = driver(&Table::device_count, &count);
  if (!counted.ok()) return counted.error();
  for (int index = 0; index < count; ++index) {
    Result<CudaDeviceInfo> info = describe(driver, index, nvml.ok() ? nvml.value() : nullptr);
    if (!info.ok()) return info.error();
    report.devices.push_back(std::move(info.value()));
  }
  return report;
}

}  // namespace millrace
