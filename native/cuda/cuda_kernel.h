// Kernels: a module of PTX (or a binary made for the device), and functions of it to launch.
//
// A kernel keeps its module. Launching is asynchronous: a kernel that does wrong is reported by a
// later call, as kDeviceLost. Any thread may launch it.
#pragma once

#include <array>
#include <memory>
#include <span>
#include <string>

#include "cuda/cuda_context.h"
#include "cuda/cuda_stream.h"

namespace millrace {

struct LaunchShape {
  std::array<unsigned, 3> grid = {1, 1, 1};
  std::array<unsigned, 3> block = {1, 1, 1};
  unsigned shared_bytes = 0;
};

class CudaKernel {
 public:
  // Compiles the PTX for the device, or takes the binary. Errors: the driver's, such as
  // CUDA_ERROR_INVALID_PTX (with the log of its compiler) and CUDA_ERROR_NOT_FOUND.
  static Result<CudaKernel> load(std::shared_ptr<const CudaContext> context,
                                 const std::string& image, const std::string& name);
  CudaKernel() = default;

  // `arguments` are pointers to the values of the kernel's parameters, which are copied.
  Status launch(const LaunchShape& shape, std::span<void*> arguments,
                const CudaStream& stream) const;

 private:
  CudaOwned<cuda::Module*, &cuda::DriverTable::unload_module> module_;
  cuda::Function* function_ = nullptr;
};

}  // namespace millrace
