// A kernel of the double as a model: y = 2 x, rows of so many floats, one thread each.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cuda/cuda_model.h"
#include "cuda_fixture.h"
#include "model/model.h"

namespace millrace {

inline constexpr std::int64_t kKernelWidth = 4;

inline CudaModelOptions kernel_options() {
  CudaModelOptions options;
  options.name = "kernel twice_rows";
  options.inputs = {{"x", DataType::kFloat32, {-1, kKernelWidth}, {}}};
  options.outputs = {{"y", DataType::kFloat32, {-1, kKernelWidth}, {}}};
  options.block = {static_cast<unsigned>(kKernelWidth), 1, 1};
  options.ptx = true;
  return options;
}

inline KernelSource ptx_source() {
  return {".version 8.0 .entry twice_rows", "twice_rows", "twice_rows", {}};
}

inline CudaKernelLibraries double_libraries() {
  return {MILLRACE_CUDA_DOUBLE, MILLRACE_NVRTC_DOUBLE};
}

inline std::shared_ptr<CudaModel> kernel_model(CudaModelOptions options = kernel_options()) {
  return value_of(CudaModel::load(double_libraries(), ptx_source(), std::move(options)));
}

inline std::unique_ptr<Runner> kernel_runner(const std::shared_ptr<Model>& model,
                                             std::size_t max_batch = 4) {
  return value_of(model->make_runner({{0}, max_batch}));
}

// Rows of inputs where they lie; each element is the number of the row it is in, from `first` on.
class KernelRows {
 public:
  KernelRows(std::size_t rows, float first) : rows_(rows) {
    for (std::size_t i = 0; i < rows * kKernelWidth; ++i)
      values_.push_back(first + static_cast<float>(i / kKernelWidth));
    view_.dims = {static_cast<std::int64_t>(rows), kKernelWidth};
    view_.data = reinterpret_cast<const std::byte*>(values_.data());
  }

  [[nodiscard]] RunBatch batch() const { return {rows_, kNever, {&view_, 1}, {}}; }

  // Whether the result is twice the inputs.
  [[nodiscard]] testing::AssertionResult doubled(const RunResult& result) const {
    const TensorView& output = result.outputs.at(0);
    if (output.dims != view_.dims) return testing::AssertionFailure() << "other dims";
    for (std::size_t i = 0; i < values_.size(); ++i) {
      const float found = reinterpret_cast<const float*>(output.data)[i];
      if (found == 2 * values_[i]) continue;
      return testing::AssertionFailure() << "element " << i << " is " << found;
    }
    return testing::AssertionSuccess();
  }

 private:
  const std::size_t rows_;
  std::vector<float> values_;
  TensorView view_;
};

}  // namespace millrace
