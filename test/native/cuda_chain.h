// Pipelines of kernels on the double that hand their values on, y = 2 x each, and a model of the
// host that does the same.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cuda/cuda_budget.h"
#include "cuda/device_blocks.h"
#include "cuda_engine.h"

namespace millrace {

class HostDoubleModel final : public Model {
 public:
  const std::vector<TensorSpec>& inputs() const override { return options_.inputs; }
  const std::vector<TensorSpec>& outputs() const override { return options_.outputs; }
  Result<std::unique_ptr<Runner>> make_runner(const RunnerOptions&) override {
    return std::unique_ptr<Runner>(std::make_unique<HostRunner>());
  }

 private:
  class HostRunner final : public Runner {
   public:
    Status run(const RunBatch& batch, RunResult& result) override {
      const TensorView& x = batch.inputs[0];
      values_.resize(batch.rows * kKernelWidth);
      std::memcpy(values_.data(), x.data, values_.size() * sizeof(float));
      for (float& value : values_) value *= 2;
      result.failed.clear();
      result.ragged.clear();
      result.outputs.resize(1);
      result.outputs[0].data = reinterpret_cast<const std::byte*>(values_.data());
      result.outputs[0].dims = x.dims;
      return {};
    }
    void terminate() noexcept override {}

   private:
    std::vector<float> values_;
  };

  const CudaModelOptions options_ = kernel_options();
};

// x -> k0 -> k1 -> ...
inline PipelineSpec kernel_chain(const std::vector<std::shared_ptr<Model>>& models) {
  std::vector<StageSpec> stages;
  for (std::uint32_t i = 0; i < models.size(); ++i) {
    const Source from = i == 0 ? from_request() : from_stage(i - 1, 0);
    stages.push_back(stage_of("k" + std::to_string(i), models[i], {{from}}));
  }
  const auto last = static_cast<std::uint32_t>(models.size() - 1);
  return pipeline_of(std::move(stages), {from_stage(last, 0)});
}

inline testing::AssertionResult multiplied(const Answer& answer, const std::vector<float>& firsts,
                                           float by) {
  if (answer.outcome != Outcome::kCompleted)
    return testing::AssertionFailure() << "it did not complete: " << answer.message;
  std::vector<float> wanted = rows_of(firsts);
  for (float& value : wanted) value *= by;
  if (answer.values == wanted) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "other values: " << answer.values.at(0) << ", ...";
}

class CudaHandingTest : public CudaEngineTest {
 protected:
  // Copies of each kind that were asked for since the reset.
  [[nodiscard]] int to_device() const { return count_of("cuMemcpyHtoDAsync_v2"); }
  [[nodiscard]] int to_host() const {
    return count_of("cuMemcpyDtoHAsync_v2") + count_of("cuMemcpyDtoH_v2");
  }
  [[nodiscard]] int on_device() const { return count_of("cuMemcpyDtoDAsync_v2"); }

  // Bytes of a slot of a kernel's runner.
  [[nodiscard]] static constexpr std::size_t slot_bytes(std::size_t rows) {
    return 2 * ((rows * kKernelWidth * sizeof(float) + 255) / 256 * 256);
  }
  static constexpr std::size_t kBlockBytes = 256;  // with up to 16 rows of a kernel

  // Of the only stage that serves: memory of the device for its runner and so many blocks.
  [[nodiscard]] static CudaModelOptions limited(std::size_t blocks) {
    CudaModelOptions options = kernel_options();
    options.memory_limit = 2 * slot_bytes(8) + blocks * kBlockBytes;
    return options;
  }

  // From now on every call of the driver fails.
  void lose_device() {
    control_->fail("cuMemGetInfo_v2", 719, 0);
    EXPECT_FALSE(open_before_->memory_info().ok());
  }

  void SetUp() override {
    CudaEngineTest::SetUp();
    open_before_ = open();
  }
  void TearDown() override {
    open_before_.reset();
    CudaEngineTest::TearDown();
  }

  // With no replica left the only memory of the device is that of blocks that are held.
  [[nodiscard]] std::size_t held_bytes(EngineHarness& harness) {
    for (std::size_t stage = 0; stage < harness.engine().spec().stages.size(); ++stage)
      expect_ok(harness.engine().scale(stage, 0));
    return CudaBudget::of(*open_before_).taken();
  }

  // Has the stages serve one after the other, so that each finds all rows waiting.
  static void serve_in_turn(EngineHarness& harness, std::size_t rows) {
    for (std::size_t stage = 0; stage < harness.engine().spec().stages.size(); ++stage) {
      EXPECT_TRUE(eventually([&] { return harness.stage(stage).waiting == rows; }));
      expect_ok(harness.engine().scale(stage, 1));
    }
  }

  // A context that all the test's models share the device with.
  std::shared_ptr<const CudaContext> open_before_;
};

// Nobody serves yet.
inline PipelineSpec closed(PipelineSpec spec) {
  for (StageSpec& stage : spec.stages) stage.replicas = 0;
  return spec;
}

}  // namespace millrace
