// The CUDA devices of the machine, asked of the driver without opening any of them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "cuda/nvml.h"

namespace millrace {

struct CudaDeviceInfo {
  int index = 0;
  std::string name;
  std::uint64_t memory_bytes = 0;
  std::string compute_capability;  // such as "9.0"
  NvmlReading reading;             // empty where NVML is missing
};

struct CudaReport {
  int cuda_version = 0;        // the latest that the driver serves: 12040 is 12.4
  std::string driver_version;  // of NVML; empty where that is missing
  std::vector<CudaDeviceInfo> devices;
};

// Files to load in place of the system's; empty: the system's.
struct CudaLibraries {
  std::string driver;
  std::string nvml;
};

// Any thread; loads both libraries, and never lets go of them. Errors: kModelLoad where the driver
// is missing or does not start, kStageFailed and kDeviceLost where it fails later. A driver that
// works and has no device is an empty list.
Result<CudaReport> list_cuda_devices(const CudaLibraries& libraries);

}  // namespace millrace
