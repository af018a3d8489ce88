#include "cuda/cuda_kernel.h"

namespace millrace {
namespace {

using Table = cuda::DriverTable;

constexpr std::size_t kLogBytes = 8192;

}  // namespace

Result<CudaKernel> CudaKernel::load(std::shared_ptr<const CudaContext> context,
                                    const std::string& image, const std::string& name) {
  cuda::Module* module = nullptr;
  std::string log(kLogBytes, '\0');
  std::array<int, 2> options = {cuda::kJitErrorLog, cuda::kJitErrorLogBytes};
  // The size goes by value, in the place of a pointer: the driver wants it so.
  std::array<void*, 2> values = {log.data(),
                                 reinterpret_cast<void*>(kLogBytes)};  // NOLINT(performance-*)
  const Status loaded =
      (*context)(&Table::load_module, &module, static_cast<const void*>(image.c_str()),
                 static_cast<unsigned>(options.size()), options.data(), values.data());
  if (!loaded.ok()) {
    log.resize(log.find('\0') == std::string::npos ? log.size() : log.find('\0'));
    const std::string said = log.empty() ? "" : "\n" + log;
    return Error{loaded.error().code, loaded.error().message + said};
  }
  CudaKernel kernel;
  kernel.module_ = {std::move(context), module};
  const Status found =
      kernel.module_.context()(&Table::module_function, &kernel.function_, module, name.c_str());
  if (!found.ok()) return Error{found.error().code, found.error().message + ", kernel " + name};
  return kernel;
}

Status CudaKernel::launch(const LaunchShape& shape, std::span<void*> arguments,
                          const CudaStream& stream) const {
  const auto& [grid, block, shared] = shape;
  return module_.context()(&Table::launch, function_, grid[0], grid[1], grid[2], block[0], block[1],
                           block[2], shared, stream.get(), arguments.data(),
                           static_cast<void**>(nullptr));
}

}  // namespace millrace
