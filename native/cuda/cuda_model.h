// A CUDA kernel as a model: given a batch, it is launched once, with a block or more for each row.
//
//   kernel(const T* input 0, ..., U* output 0, ..., unsigned rows)
//   grid   rows x grid[0] x grid[1]      so blockIdx.x is the row
//   block  block[0] x block[1] x block[2]
//
// Each tensor is that of all rows, row-major, in memory of the device, at a multiple of 256; the
// rows of each have one size. A kernel writes all of its outputs: what it leaves out is whatever
// was there before. It does not write its inputs: they may be what another stage left there, for
// others to read as well.
//
// The kernel is compiled, or its PTX given to the driver, when it is loaded; all runners share it.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "cuda/cuda_budget.h"
#include "cuda/cuda_context.h"
#include "cuda/cuda_kernel.h"
#include "cuda/nvrtc.h"
#include "model/model.h"

namespace millrace {

// Files to load in place of the system's; empty: the system's.
struct CudaKernelLibraries {
  std::string driver;
  std::string nvrtc;
};

struct CudaModelOptions {
  std::string name;                 // what messages call it
  std::vector<TensorSpec> inputs;   // the first dimension counts rows, the others are fixed
  std::vector<TensorSpec> outputs;  // the same
  bool ptx = false;                 // the source's text is PTX, not C++
  std::array<unsigned, 2> grid = {1, 1};
  std::array<unsigned, 3> block = {256, 1, 1};
  unsigned shared_bytes = 0;
  int device = 0;
  bool graphs = false;  // batches of some sizes are launched as CUDA graphs: see cuda_graphs.h

  // Memory of the device that the process's kernels may take, all together, for its runners to be
  // made.
  std::size_t memory_limit = CudaBudget::kNoLimit;
};

class CudaModel final : public Model, public std::enable_shared_from_this<CudaModel> {
 public:
  // Blocks: opening the device and compiling take from 0.1 s to seconds. Errors: kModelLoad where a
  // library is missing, the driver has no graphs that are wanted, or the source is not to be
  // compiled; kInvalidOption where there is no such
  // device or a tensor has no fixed size, and what the driver says.
  static Result<std::shared_ptr<CudaModel>> load(const CudaKernelLibraries& libraries,
                                                 const KernelSource& source,
                                                 CudaModelOptions options);

  const std::vector<TensorSpec>& inputs() const override { return options_.inputs; }
  const std::vector<TensorSpec>& outputs() const override { return options_.outputs; }
  WarmUp warm_up() const override { return WarmUp::kOnce; }
  std::shared_ptr<HostMemory> input_memory() const override;
  const void* block_device() const override;

  // With as large batches as there is memory for. Errors: kOutOfMemory where there is none for one
  // row.
  Result<std::unique_ptr<Runner>> make_runner(const RunnerOptions& options) override;

  // For its runners.
  const CudaModelOptions& options() const { return options_; }
  const std::shared_ptr<const CudaContext>& context() const { return context_; }
  const CudaKernel& kernel() const { return kernel_; }

 private:
  CudaModel(std::shared_ptr<const CudaContext> context, CudaKernel kernel, CudaModelOptions options)
      : context_(std::move(context)), kernel_(std::move(kernel)), options_(std::move(options)) {}

  const std::shared_ptr<const CudaContext> context_;
  const CudaKernel kernel_;
  const CudaModelOptions options_;
};

// Bytes of a row; 0 where they are not fixed, or not numbers.
std::size_t fixed_row_bytes(const TensorSpec& spec);

}  // namespace millrace
