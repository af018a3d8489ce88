#include "cuda/cuda_kernel.h"

namespace millrace {

using Table = cuda::DriverTable;

Result<CudaKernel> CudaKernel::load(std::shared_ptr<const CudaContext> context,
                                    const std::string& image, const std::string& name) {
  cuda::Module* module = nullptr;
  const Status loaded =
      (*context)(&Table::load_module, &module, static_cast<const void*>(image.c_str()), 0U,
                 static_cast<int*>(nullptr), static_cast<void**>(nullptr));
  if (!loaded.ok()) return loaded.error();
  CudaKernel kernel;
  kernel.module_ = {std::move(context), module};
  const Status found =
      kernel.module_.context()(&Table::module_function, &kernel.function_, module, name.c_str());
  if (!found.ok()) return Error{found.error().code, found.error().message + ", kernel " + name};
  return kernel;
}

Status CudaKernel::launch(const LaunchShape& shape, std::span<void*> arguments,
                          const CudaStream& stream) {
  const auto& [grid, block, shared] = shape;
  return module_.context()(&Table::launch, function_, grid[0], grid[1], grid[2], block[0], block[1],
                           block[2], shared, stream.get(), arguments.data(),
                           static_cast<void**>(nullptr));
}

}  // namespace millrace
