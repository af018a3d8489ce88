// Memory of the device: what there is room for, batches that shrink to it, and a device that is
// lost.
#include "cuda/cuda_budget.h"
#include "cuda_engine.h"
#include "model/fallback_model.h"

namespace millrace {
namespace {

using CudaMemoryTest = CudaEngineTest;

// Device memory of a slot for so many rows of the test's kernel: one input and one output.
constexpr std::size_t slot_bytes(std::size_t rows) {
  return 2 * ((rows * kKernelWidth * sizeof(float) + 255) / 256 * 256);
}

TEST_F(CudaMemoryTest, IsReservedForBothSlotsAndGivenBack) {
  CudaModelOptions options = kernel_options();
  options.memory_limit = 2 * slot_bytes(64);
  const auto model = kernel_model(options);
  CudaBudget& budget = CudaBudget::of(*model->context());
  const auto runner = kernel_runner(model, 64);
  EXPECT_EQ(runner->max_batch(), 64U);
  EXPECT_EQ(budget.taken(), 2 * slot_bytes(64));
  const auto refused = model->make_runner({{0}, 1});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kOutOfMemory);
  EXPECT_EQ(refused.error().message,
            "kernel twice_rows: 512 bytes of the device do not fit the budget of 4096 "
            "(gpuMemoryBytes), of which 4096 are taken");
}

TEST_F(CudaMemoryTest, AllOfABudgetIsGivenBackWithTheRunner) {
  const auto model = kernel_model();
  CudaBudget& budget = CudaBudget::of(*model->context());
  { const auto runner = kernel_runner(model, 64); }
  EXPECT_EQ(budget.taken(), 0U);
}

TEST_F(CudaMemoryTest, ABudgetTooSmallForTheLargestBatchMakesItSmaller) {
  CudaModelOptions options = kernel_options();
  options.memory_limit = 2 * slot_bytes(32) + 1;
  const auto runner = kernel_runner(kernel_model(options), 256);
  EXPECT_EQ(runner->max_batch(), 32U);
}

TEST_F(CudaMemoryTest, ADeviceThatHasNotEnoughDoesToo) {
  control_->fail("cuMemAlloc_v2", 2, 1);  // of the second slot
  const auto runner = kernel_runner(kernel_model(), 16);
  EXPECT_EQ(runner->max_batch(), 8U);
  const KernelRows rows(8, 1);
  RunResult result;
  expect_ok(runner->run(rows.batch(), result));
  EXPECT_TRUE(rows.doubled(result));
  const Status status = runner->run(KernelRows(9, 1).batch(), result);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kOutOfMemory);
}

TEST_F(CudaMemoryTest, PinnedMemoryThatCannotBeHadMakesItSmallerAsWell) {
  const auto model = kernel_model();
  control_->fail("cuMemHostAlloc", 2, 0);
  EXPECT_EQ(kernel_runner(model, 16)->max_batch(), 8U);
}

TEST_F(CudaMemoryTest, AReplicaThatGotLessTakesSmallerBatchesAndSaysSo) {
  CudaModelOptions options = kernel_options();
  options.memory_limit = 2 * slot_bytes(2);
  EngineHarness harness(kernel_pipeline(kernel_model(options), 64));
  std::vector<float> firsts(40, 3);
  EXPECT_TRUE(doubled(harness.infer(firsts), firsts));
  EXPECT_EQ(harness.stage().shrunk, 1U);
  EXPECT_EQ(harness.stage().retries, 0U);
  EXPECT_LE(harness.stage().batch_rows.max, 16);
}

TEST_F(CudaMemoryTest, ABatchThatTheDeviceHasNoRoomForIsRunInHalvesAndLaterOnesAreNoLarger) {
  PipelineSpec spec = kernel_pipeline(kernel_model(), 8);
  spec.stages[0].isolate = false;  // nothing of it has run: no row is run twice
  spec.stages[0].replicas = 0;     // until all rows are there
  EngineHarness harness(std::move(spec));
  control_->fail("cuLaunchKernel", 2, 0);
  const std::vector<float> firsts(8, 1);
  const auto index = harness.submit(firsts);
  expect_ok(harness.engine().scale(0, 1));
  EXPECT_TRUE(doubled(harness.answer(index), firsts));
  const StageStats first = harness.stage();
  EXPECT_EQ(first.retries, 1U);
  EXPECT_EQ(first.shrunk, 1U);
  EXPECT_TRUE(doubled(harness.infer(firsts), firsts));
  EXPECT_EQ(count_of("cuLaunchKernel 8 x"), 1);
  EXPECT_EQ(harness.stage().shrunk, 1U);
}

TEST_F(CudaMemoryTest, ALaunchThatIsRefusedFailsItsRowsAlone) {
  EngineHarness harness(kernel_pipeline(kernel_model(), 8));
  control_->fail("cuLaunchKernel", 1, 0);
  const Answer failed = harness.infer({1});
  EXPECT_EQ(failed.outcome, Outcome::kFailed);
  EXPECT_EQ(failed.message, "kernel twice_rows: cuLaunchKernel: CUDA_ERROR_INVALID_VALUE");
  EXPECT_TRUE(doubled(harness.infer({2}), {2}));
}

TEST_F(CudaMemoryTest, ALostDeviceFailsEveryRequestFromThenOnAndSaysWhy) {
  EngineHarness harness(kernel_pipeline(kernel_model(), 8));
  control_->fail("kernel", 719, 0);
  const Answer first = harness.infer({1, 2, 3, 4});
  EXPECT_EQ(first.outcome, Outcome::kFailed);
  EXPECT_NE(first.message.find("CUDA device 0 is lost to this process"), std::string::npos);
  EXPECT_EQ(harness.stage().retries, 0U);  // it would be in vain
  EXPECT_EQ(harness.infer({5}).outcome, Outcome::kFailed);
}

TEST_F(CudaMemoryTest, ALostDeviceFailsBothBatchesInFlight) {
  control_->hold(true);
  EngineHarness harness(kernel_pipeline(kernel_model(), 1));
  const auto a = harness.submit({1});
  const auto b = harness.submit({2});
  EXPECT_TRUE(eventually([&] { return launches() == 2; }));
  control_->fail("kernel", 719, 0);
  release_device();
  EXPECT_EQ(harness.answer(a).outcome, Outcome::kFailed);
  EXPECT_EQ(harness.answer(b).outcome, Outcome::kFailed);
}

TEST_F(CudaMemoryTest, AStageWithAFallbackGoesOnWithIt) {
  const auto fallback = fake_adding(100);
  EngineHarness harness(
      kernel_pipeline(std::make_shared<FallbackModel>(kernel_model(), fallback), 8));
  EXPECT_TRUE(doubled(harness.infer({1}), {1}));
  EXPECT_EQ(fallback->script().runs, 0);
  control_->fail("kernel", 719, 0);
  const Answer failed = harness.infer({2});
  EXPECT_EQ(failed.outcome, Outcome::kFailed);
  EXPECT_NE(failed.message.find("; what comes next runs on the fallback"), std::string::npos);
  EXPECT_TRUE(adds(harness.infer({3, 4}), {3, 4}, 100));
  expect_ok(harness.engine().scale(0, 2));
  EXPECT_TRUE(adds(harness.infer({5}), {5}, 100));
}

TEST_F(CudaMemoryTest, ADeviceThatIsLostWhileAReplicaIsMadeLeavesTheFallback) {
  const auto fallback = fake_adding(100);
  const auto both = std::make_shared<FallbackModel>(kernel_model(), fallback);
  control_->fail("cuStreamCreate", 719, 0);
  EngineHarness harness(kernel_pipeline(both, 8));
  EXPECT_TRUE(both->lost());
  EXPECT_TRUE(adds(harness.infer({1}), {1}, 100));
}

}  // namespace
}  // namespace millrace
