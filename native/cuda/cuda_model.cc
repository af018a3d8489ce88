#include "cuda/cuda_model.h"

#include <utility>

#include "cuda/cuda_runner.h"
#include "cuda/device_blocks.h"
#include "cuda/pinned_arena.h"

namespace millrace {
namespace {

Status check_sizes(const CudaModelOptions& options) {
  for (const auto* specs : {&options.inputs, &options.outputs}) {
    for (const TensorSpec& spec : *specs) {
      if (fixed_row_bytes(spec) > 0) continue;
      return Error{ErrorCode::kInvalidOption,
                   options.name + ": the rows of '" + spec.name +
                       "' must be numbers of one fixed size, since a kernel is given memory only"};
    }
  }
  return {};
}

Error about(const CudaModelOptions& options, const Error& error) {
  return {error.code, options.name + ": " + error.message};
}

Result<CompiledKernel> compile(const CudaContext& context, const std::string& nvrtc,
                               const KernelSource& source, bool ptx) {
  if (ptx) return CompiledKernel{source.text, source.kernel};
  const Result<const Nvrtc*> compiler = Nvrtc::load(nvrtc);
  if (!compiler.ok()) return compiler.error();
  const Result<int> capability = context.compute_capability();
  if (!capability.ok()) return capability.error();
  return compiler.value()->compile(source, capability.value());
}

}  // namespace

std::size_t fixed_row_bytes(const TensorSpec& spec) {
  if (spec.dims.empty()) return 0;
  std::size_t bytes = element_size(spec.type);
  for (std::size_t d = 1; d < spec.dims.size(); ++d) {
    if (spec.dims[d] < 0) return 0;
    bytes *= static_cast<std::size_t>(spec.dims[d]);
  }
  return bytes;
}

Result<std::shared_ptr<CudaModel>> CudaModel::load(const CudaKernelLibraries& libraries,
                                                   const KernelSource& source,
                                                   CudaModelOptions options) {
  const Status sizes = check_sizes(options);
  if (!sizes.ok()) return sizes.error();
  const Result<const CudaDriver*> driver = CudaDriver::load(libraries.driver);
  if (!driver.ok()) return about(options, driver.error());
  const Status graphs = options.graphs ? driver.value()->check_graphs() : Status{};
  if (!graphs.ok()) return about(options, graphs.error());
  auto context = CudaContext::open(*driver.value(), options.device);
  if (!context.ok()) return about(options, context.error());
  const auto compiled = compile(*context.value(), libraries.nvrtc, source, options.ptx);
  if (!compiled.ok()) return about(options, compiled.error());
  auto kernel = CudaKernel::load(context.value(), compiled.value().image, compiled.value().name);
  if (!kernel.ok()) return about(options, kernel.error());
  return std::shared_ptr<CudaModel>(
      new CudaModel(std::move(context.value()), std::move(kernel.value()), std::move(options)));
}

std::shared_ptr<HostMemory> CudaModel::input_memory() const {
  return std::make_shared<PinnedArena>(context_);
}

const void* CudaModel::block_device() const {
  return DeviceBlocks::device(*context_);
}

Result<std::unique_ptr<Runner>> CudaModel::make_runner(const RunnerOptions& options) {
  auto runner = CudaRunner::make(shared_from_this(), options);
  if (!runner.ok()) return about(options_, runner.error());
  return runner;
}

}  // namespace millrace
