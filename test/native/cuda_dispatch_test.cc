// Batches on their way to a device and back: two in flight at a replica, which of their steps
// overlap, and who is told when.
#include <atomic>
#include <thread>

#include "cuda/pinned_arena.h"
#include "cuda_engine.h"

namespace millrace {
namespace {

class Told final : public RunListener {
 public:
  void run_ended() noexcept override { ++times; }
  [[nodiscard]] bool once() const {
    return eventually([this] { return times.load() == 1; });
  }
  std::atomic<int> times{0};
};

using CudaRunnerTest = CudaEngineTest;

TEST_F(CudaRunnerTest, TheCopyOfABatchBeginsBeforeTheKernelOfTheOneBeforeItEnds) {
  const auto runner = kernel_runner(kernel_model());
  ASSERT_EQ(runner->slots(), 2U);
  const KernelRows one(2, 1);
  const KernelRows two(3, 10);
  Told first;
  Told second;
  control_->hold(true);
  expect_ok(runner->begin(one.batch(), 0, first));
  expect_ok(runner->begin(two.batch(), 1, second));
  EXPECT_EQ(first.times + second.times, 0);
  control_->finish(-1);
  EXPECT_TRUE(first.once());
  EXPECT_TRUE(second.once());
  EXPECT_LT(place_of("stream 2: copied to the device"), place_of("stream 1: ran a kernel"));
  EXPECT_LT(place_of("stream 2: ran a kernel"), place_of("stream 1: copied to the host"));
  RunResult result;
  expect_ok(runner->finish(1, result));
  EXPECT_TRUE(two.doubled(result));
  expect_ok(runner->finish(0, result));
  EXPECT_TRUE(one.doubled(result));
}

TEST_F(CudaRunnerTest, ABatchThatEndsFirstIsToldFirst) {
  const auto runner = kernel_runner(kernel_model());
  const KernelRows rows(1, 1);
  Told first;
  Told second;
  control_->hold(true);
  expect_ok(runner->begin(rows.batch(), 0, first));
  control_->finish(-1);
  EXPECT_TRUE(first.once());
  expect_ok(runner->begin(rows.batch(), 1, second));
  EXPECT_EQ(second.times, 0);
  control_->finish(-1);
  EXPECT_TRUE(second.once());
}

TEST_F(CudaRunnerTest, RunsOneBatchMoreWhileAnotherIsInFlight) {
  const auto runner = kernel_runner(kernel_model());
  const KernelRows one(1, 1);
  const KernelRows two(2, 7);
  Told first;
  RunResult result;
  expect_ok(runner->begin(one.batch(), 0, first));
  expect_ok(runner->run(two.batch(), result));
  EXPECT_TRUE(two.doubled(result));
  EXPECT_TRUE(first.once());
  expect_ok(runner->finish(0, result));
  EXPECT_TRUE(one.doubled(result));
}

TEST_F(CudaRunnerTest, CopiesFromPinnedMemoryWhereTheRowsLieThere) {
  const auto model = kernel_model();
  const auto runner = kernel_runner(model);
  const auto arena = model->input_memory()->allocate(64);
  ASSERT_NE(arena, nullptr);
  EXPECT_TRUE(PinnedArena::holds(arena.get() + 16, 48));
  EXPECT_FALSE(PinnedArena::holds(arena.get() + 16, 49));
  auto* const values = reinterpret_cast<float*>(arena.get());
  std::fill_n(values, kKernelWidth, 1.0F);
  const TensorView view{arena.get(), nullptr, {1, kKernelWidth}};
  Told told;
  control_->hold(true);
  expect_ok(runner->begin({1, kNever, {&view, 1}, {}}, 0, told));
  values[0] = 5;  // which nobody may do; the device has not copied yet
  control_->finish(-1);
  EXPECT_TRUE(told.once());
  RunResult result;
  expect_ok(runner->finish(0, result));
  EXPECT_EQ(reinterpret_cast<const float*>(result.outputs[0].data)[0], 10);
}

TEST_F(CudaRunnerTest, TakesOtherMemoryBackBeforeTheDeviceHasCopied) {
  const auto runner = kernel_runner(kernel_model());
  std::vector<float> values(kKernelWidth, 1);
  const TensorView view{
      reinterpret_cast<const std::byte*>(values.data()), nullptr, {1, kKernelWidth}};
  Told told;
  control_->hold(true);
  expect_ok(runner->begin({1, kNever, {&view, 1}, {}}, 0, told));
  values[0] = 5;
  control_->finish(-1);
  EXPECT_TRUE(told.once());
  RunResult result;
  expect_ok(runner->finish(0, result));
  EXPECT_EQ(reinterpret_cast<const float*>(result.outputs[0].data)[0], 2);
}

TEST_F(CudaRunnerTest, WaitsForWhatIsInFlightBeforeItsMemoryGoes) {
  auto runner = kernel_runner(kernel_model());
  Told told;
  control_->hold(true);
  expect_ok(runner->begin(KernelRows(1, 1).batch(), 0, told));
  control_->finish(-1);
  EXPECT_TRUE(told.once());
  runner.reset();
}

TEST_F(CudaEngineTest, AReplicaKeepsTwoBatchesInFlightAndNoThird) {
  control_->hold(true);
  EngineHarness harness(kernel_pipeline(kernel_model(), 1));
  const auto a = harness.submit({1});
  const auto b = harness.submit({2});
  EXPECT_TRUE(eventually([&] { return launches() == 2; }));
  const auto c = harness.submit({3});
  EXPECT_EQ(harness.stage().waiting, 1U);
  EXPECT_EQ(launches(), 2);
  release_device();
  EXPECT_TRUE(doubled(harness.answer(a), {1}));
  EXPECT_TRUE(doubled(harness.answer(b), {2}));
  EXPECT_TRUE(doubled(harness.answer(c), {3}));
  EXPECT_EQ(harness.stage().batches, 3U);
  EXPECT_EQ(harness.stage().rows, 3U);
}

TEST_F(CudaEngineTest, RowsThatCameWhileBothAreInFlightShareABatch) {
  control_->hold(true);
  EngineHarness harness(kernel_pipeline(kernel_model(), 4));
  const auto a = harness.submit({1});
  EXPECT_TRUE(eventually([&] { return launches() == 1; }));
  const auto b = harness.submit({2});
  EXPECT_TRUE(eventually([&] { return launches() == 2; }));
  const auto c = harness.submit({3, 4});
  const auto d = harness.submit({5});
  release_device();
  for (const auto& [index, firsts] :
       {std::pair{a, std::vector<float>{1}}, {b, {2}}, {c, {3, 4}}, {d, {5}}}) {
    EXPECT_TRUE(doubled(harness.answer(index), firsts));
  }
  EXPECT_EQ(harness.stage().batches, 3U);
}

TEST_F(CudaEngineTest, RowsWaitInPinnedMemoryAndAreCopiedFromThere) {
  EngineHarness harness(kernel_pipeline(kernel_model(), 4));
  EXPECT_TRUE(doubled(harness.infer({1, 2, 3}), {1, 2, 3}));
  EXPECT_EQ(harness.stage().gathered, 0U);
}

TEST_F(CudaEngineTest, AReplicaThatIsDismissedFinishesWhatIsInFlight) {
  control_->hold(true);
  EngineHarness harness(kernel_pipeline(kernel_model(), 1));
  const auto a = harness.submit({1});
  const auto b = harness.submit({2});
  EXPECT_TRUE(eventually([&] { return launches() == 2; }));
  std::thread control([&] { expect_ok(harness.engine().scale(0, 0)); });
  release_device();
  control.join();
  EXPECT_TRUE(doubled(harness.answer(a), {1}));
  EXPECT_TRUE(doubled(harness.answer(b), {2}));
}

TEST_F(CudaEngineTest, AnEngineThatIsStoppedWaitsForTheDevice) {
  control_->hold(true);
  EngineHarness harness(kernel_pipeline(kernel_model(), 1));
  harness.submit({1});
  EXPECT_TRUE(eventually([&] { return launches() == 1; }));
  std::thread control([&] { harness.engine().stop(true); });
  release_device();
  control.join();
}

TEST_F(CudaEngineTest, ARequestMayExpireWhileASlowDeviceHasIt) {
  control_->hold(true);
  EngineHarness harness(kernel_pipeline(kernel_model(), 1));
  harness.expires = true;
  SubmitOptions options;
  options.deadline = harness.in(20 * kMs);
  const auto late = harness.submit({1}, options);
  EXPECT_EQ(harness.answer(late).outcome, Outcome::kDeadlineExceeded);
  release_device();
  EXPECT_TRUE(harness.drained());
  EXPECT_TRUE(doubled(harness.infer({2}), {2}));
}

TEST_F(CudaEngineTest, ManyRequestsOfSeveralReplicasAreAllAnsweredRight) {
  PipelineSpec spec = kernel_pipeline(kernel_model(), 4);
  spec.stages[0].replicas = 3;
  EngineHarness harness(std::move(spec));
  std::vector<std::uint32_t> indices;
  for (int i = 0; i < 400; ++i) indices.push_back(harness.submit({static_cast<float>(i), 1}));
  for (int i = 0; i < 400; ++i) {
    EXPECT_TRUE(
        doubled(harness.answer(indices[static_cast<std::size_t>(i)]), {static_cast<float>(i), 1}));
  }
  EXPECT_EQ(harness.stage().rows, 800U);
  EXPECT_EQ(harness.stage().failed, 0U);
}

}  // namespace
}  // namespace millrace
