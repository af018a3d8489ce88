// Rows that lie on the device between kernels and models of ONNX Runtime where something goes
// wrong, or ends early: memory, runs that fail or are refused, a lost device, a closed engine.
#include "cuda_onnx.h"
#include "model/fallback_model.h"

namespace millrace {
namespace {

class CudaOnnxEndTest : public CudaOnnxTest {
 protected:
  // A request whose rows lie on the device, between the first two stages.
  std::uint32_t between(EngineHarness& harness) {
    const auto index = harness.submit({1, 2});
    expect_ok(harness.engine().scale(0, 1));
    EXPECT_TRUE(eventually([&] { return harness.stage(1).waiting == 2; }));
    return index;
  }
  PipelineSpec chain() { return closed(kernel_chain({kernel_model(), identity()})); }

  [[nodiscard]] int settled() const { return count_of("cuCtxSynchronize"); }
};

// Room -----------------------------------------------------------------------------------------

TEST_F(CudaOnnxEndTest, WhereThereIsNoRoomForABlockWhatAModelLeavesComesBackToTheHost) {
  EngineHarness harness(kernel_chain({identity(on_cuda(0, 0)), kernel_model()}));
  EXPECT_TRUE(multiplied(harness.infer({1, 2, 3}), {1, 2, 3}, 2));
  EXPECT_EQ(harness.stage(0).handed_on, 0U);
  EXPECT_EQ(harness.stage(0).failed, 0U);
  EXPECT_EQ(runs()[0].outputs[0], "host");
}

TEST_F(CudaOnnxEndTest, WhereThereIsNoRoomToCopyRowsTogetherTheyAreShownOnTheHost) {
  PipelineSpec spec = closed(kernel_chain({kernel_model(), identity(on_cuda(0, 0))}));
  spec.stages[0].max_batch = 1;
  EngineHarness harness(std::move(spec));
  const auto index = harness.submit({1, 2, 3});
  serve_in_turn(harness, 3);
  EXPECT_TRUE(multiplied(harness.answer(index), {1, 2, 3}, 2));
  EXPECT_EQ(runs()[0].inputs[0], "host");
  EXPECT_EQ(CudaHandingTest::on_device(), 0);
}

TEST_F(CudaOnnxEndTest, BlocksOfModelsCountInTheBudgetOfTheDevice) {
  EngineHarness harness(closed(kernel_chain({identity(), identity()})));
  between(harness);
  EXPECT_EQ(CudaBudget::of(*open_before_).taken(), kBlockBytes);
  EXPECT_EQ(harness.stage(0).handed_on, 2U);
  expect_ok(harness.engine().scale(1, 1));
  EXPECT_TRUE(harness.drained());
}

TEST_F(CudaOnnxEndTest, RowsOfTheHostAndOfTheDeviceShareABatch) {
  EngineHarness harness(closed(kernel_chain({kernel_model(limited(1)), identity()})));
  const auto a = harness.submit({1});
  expect_ok(harness.engine().scale(0, 1));
  EXPECT_TRUE(eventually([&] { return harness.stage(1).waiting == 1; }));
  const auto b = harness.submit({2});
  EXPECT_TRUE(eventually([&] { return harness.stage(1).waiting == 2; }));
  EXPECT_EQ(harness.stage(0).handed_on, 1U);
  expect_ok(harness.engine().scale(1, 1));
  EXPECT_TRUE(multiplied(harness.answer(a), {1}, 2));
  EXPECT_TRUE(multiplied(harness.answer(b), {2}, 2));
  ASSERT_EQ(runs().size(), 1U);
  EXPECT_TRUE(on_device(runs()[0].inputs[0]));
}

// Runs that fail -------------------------------------------------------------------------------

TEST_F(CudaOnnxEndTest, ABatchThatIsRunAgainInHalvesReadsWhatWasLeft) {
  EngineHarness harness(closed(kernel_chain({kernel_model(), identity(), kernel_model()})));
  const auto index = between(harness);
  double_->fail_runs(0, 1, "a node failed");
  for (const std::size_t stage : {1U, 2U}) expect_ok(harness.engine().scale(stage, 1));
  EXPECT_TRUE(multiplied(harness.answer(index), {1, 2}, 4));
  EXPECT_EQ(harness.stage(1).retries, 1U);
  EXPECT_EQ(settled(), 1) << "the device may still be at the run that failed";
  EXPECT_EQ(held_bytes(harness), 0U);
}

TEST_F(CudaOnnxEndTest, ARequestThatFailsThereLetsGoOfItsRows) {
  EngineHarness harness(chain());
  const auto index = between(harness);
  double_->fail_runs(0, 3, "a node failed");  // both, and each alone
  expect_ok(harness.engine().scale(1, 1));
  const Answer answer = harness.answer(index);
  EXPECT_EQ(answer.outcome, Outcome::kFailed);
  EXPECT_NE(answer.message.find("a node failed"), std::string::npos);
  EXPECT_TRUE(harness.drained());
  EXPECT_EQ(held_bytes(harness), 0U);
}

TEST_F(CudaOnnxEndTest, ACopyThatFailsIsTheBatchsFailure) {
  PipelineSpec spec = chain();
  spec.stages[0].max_batch = 1;
  EngineHarness harness(std::move(spec));
  const auto index = between(harness);
  control_->fail("cuMemcpyDtoDAsync_v2", 1, 1);
  expect_ok(harness.engine().scale(1, 1));
  EXPECT_TRUE(multiplied(harness.answer(index), {1, 2}, 2));
  EXPECT_EQ(harness.stage(1).retries, 1U);
  EXPECT_EQ(held_bytes(harness), 0U);
}

// Nobody else would say that the device is lost.
TEST_F(CudaOnnxEndTest, ARunThatFailsAsksAfterTheDevice) {
  EngineHarness harness(kernel_chain({identity()}));
  double_->fail_runs(0, 1, "a node failed");
  EXPECT_EQ(harness.infer({1}).outcome, Outcome::kFailed);
  EXPECT_EQ(settled(), 1);
  EXPECT_TRUE(multiplied(harness.infer({2}), {2}, 1));
  EXPECT_EQ(settled(), 1);
}

// A runner of its own, whose outputs may be handed on.
class CudaOnnxRunnerTest : public CudaOnnxTest {
 protected:
  static Status run(Runner& runner, const std::vector<float>& x, std::vector<std::int64_t> dims,
                    RunResult& result) {
    const TensorView view{reinterpret_cast<const std::byte*>(x.data()), nullptr, std::move(dims)};
    const auto rows = static_cast<std::size_t>(view.dims[0]);
    return runner.run({rows, kNever, {&view, 1}, {}}, result);
  }
};

TEST_F(CudaOnnxRunnerTest, AnOutputThatIsNotAsDeclaredComesBackToTheHost) {
  const auto model = load(test_model("untrue-shape"), on_cuda());
  const auto runner = value_of(model->make_runner({{0}, 4, {true}}));
  RunResult result;
  for (int i = 0; i < 2; ++i) {
    expect_ok(run(*runner, {1, -1, 2}, {3}, result));
    EXPECT_EQ(result.outputs[0].handles, nullptr);
    EXPECT_EQ(result.outputs[0].dims, (std::vector<std::int64_t>{2}));
  }
  ASSERT_EQ(runs().size(), 3U);
  EXPECT_TRUE(on_device(runs()[0].outputs[0]));
  EXPECT_EQ(runs()[1].outputs[0], "new");
  EXPECT_EQ(runs()[2].outputs[0], "new");
  EXPECT_EQ(CudaBudget::of(*open_before_).taken(), kBlockBytes) << "only the idle one";
}

TEST_F(CudaOnnxRunnerTest, MemoryThatIsRefusedIsTakenForWhatItIs) {
  const auto model = identity();
  const auto runner = value_of(model->make_runner({{0}, 4, {true}}));
  double_->fail_runs(0, 1, "Tensor size mismatch");  // of an operator of the CPU
  RunResult result;
  expect_ok(run(*runner, {1, 2, 3, 4}, {1, 4}, result));
  EXPECT_EQ(result.outputs[0].handles, nullptr);
  EXPECT_EQ(count_of("cuCtxSynchronize"), 1);
}

TEST_F(CudaOnnxRunnerTest, AResultHoldsItsBlockUntilTheNextRun) {
  const auto model = identity();
  auto runner = value_of(model->make_runner({{0}, 4, {true}}));
  RunResult result;
  expect_ok(run(*runner, {1, 2, 3, 4}, {1, 4}, result));
  ASSERT_NE(result.outputs[0].handles, nullptr);
  EXPECT_EQ(result.outputs[0].data, nullptr);
  const BlockHold held(result.outputs[0].handles[0].block);
  expect_ok(run(*runner, {5, 6, 7, 8}, {1, 4}, result));
  EXPECT_NE(result.outputs[0].handles[0].block, held.get());
  std::vector<float> first(4);
  expect_ok(held.get()->read(0, std::as_writable_bytes(std::span(first))));
  EXPECT_EQ(first, (std::vector<float>{1, 2, 3, 4}));
  runner.reset();
}

TEST_F(CudaOnnxRunnerTest, ARunThatIsEndedIsCancelled) {
  const auto model = identity();
  const auto runner = value_of(model->make_runner({{0}, 4, {true}}));
  runner->interrupt();
  RunResult result;
  const Status ended = run(*runner, {1, 2, 3, 4}, {1, 4}, result);
  ASSERT_FALSE(ended.ok());
  EXPECT_EQ(ended.error().code, ErrorCode::kCancelled);
  EXPECT_EQ(count_of("cuCtxSynchronize"), 1);
  runner->resume();
  expect_ok(run(*runner, {1, 2, 3, 4}, {1, 4}, result));
  EXPECT_NE(result.outputs[0].handles, nullptr);
}

// A row on a device that is lost, whichever that is.
class LostBlock final : public RowBlock {
 public:
  LostBlock() : RowBlock(this, 0) {}
  ~LostBlock() override = default;
  Status read(std::size_t, std::span<std::byte>) const override {
    return Error{ErrorCode::kDeviceLost, "it is lost"};
  }

 private:
  void unheld() noexcept override {}
};

TEST_F(CudaOnnxRunnerTest, ThatAnotherDeviceIsLostSaysNothingOfThisOne) {
  const auto model = identity();
  const auto runner = value_of(model->make_runner({{0}, 4, {}}));
  LostBlock block;
  const RowHandle row{&block, 0};
  const TensorView view{nullptr, nullptr, {1, 4}, &row};
  RunResult result;
  const Status read = runner->run({1, kNever, {&view, 1}, {}}, result);
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().code, ErrorCode::kStageFailed);
}

// A lost device --------------------------------------------------------------------------------

class CudaOnnxLostTest : public CudaOnnxEndTest {
 protected:
  std::shared_ptr<Model> with_fallback(float add) {
    return std::make_shared<FallbackModel>(identity(), fake_adding(add));
  }
};

TEST_F(CudaOnnxLostTest, ARunThatLostItFailsWithThatAndItsFallbackGoesOn) {
  EngineHarness harness(closed(kernel_chain({kernel_model(), with_fallback(1000)})));
  const auto index = between(harness);
  static const CudaDoubleControl* control = nullptr;
  control = control_;
  double_->before_run([] { control->fail("cuCtxSynchronize", 719, 0); });
  double_->fail_runs(0, 1, "CUDA error 719");
  expect_ok(harness.engine().scale(1, 1));
  const Answer answer = harness.answer(index);
  EXPECT_EQ(answer.outcome, Outcome::kFailed);
  EXPECT_NE(answer.message.find("CUDA device 0 is lost to this process (cuCtxSynchronize"),
            std::string::npos)
      << answer.message;
  EXPECT_EQ(harness.stage(1).retries, 0U);
  EXPECT_TRUE(harness.drained());
}

TEST_F(CudaOnnxLostTest, RowsThatWereOnTheDeviceFailWithItAndThoseOfTheHostComeThrough) {
  EngineHarness harness(closed(kernel_chain({kernel_model(limited(1)), with_fallback(1000)})));
  const auto on_device_row = harness.submit({1});
  expect_ok(harness.engine().scale(0, 1));
  EXPECT_TRUE(eventually([&] { return harness.stage(1).waiting == 1; }));
  const auto on_host_row = harness.submit({2});
  EXPECT_TRUE(eventually([&] { return harness.stage(1).waiting == 2; }));
  lose_device();
  expect_ok(harness.engine().scale(1, 1));
  EXPECT_EQ(harness.answer(on_device_row).outcome, Outcome::kFailed);
  EXPECT_TRUE(adds(harness.answer(on_host_row), {2}, 1002));
  EXPECT_TRUE(harness.drained());
  EXPECT_EQ(held_bytes(harness), 0U);
}

TEST_F(CudaOnnxLostTest, ACopyThatFindsOutFailsTheWholeBatchAtOnce) {
  PipelineSpec spec = closed(kernel_chain({kernel_model(), with_fallback(1000)}));
  spec.stages[0].max_batch = 1;
  EngineHarness harness(std::move(spec));
  const auto index = between(harness);
  control_->fail("cuMemcpyDtoDAsync_v2", 719, 0);
  expect_ok(harness.engine().scale(1, 1));
  EXPECT_EQ(harness.answer(index).outcome, Outcome::kFailed);
  EXPECT_TRUE(runs().empty());
  EXPECT_TRUE(harness.drained());
  EXPECT_EQ(held_bytes(harness), 0U);
}

TEST_F(CudaOnnxLostTest, IsToldWhereAnotherModelIsToTakeItsPlaceAndNowhereElse) {
  for (const bool replaceable : {true, false}) {
    control_->reset();
    OnnxModelOptions options = on_cuda();
    options.replaceable = replaceable;
    EngineHarness harness(kernel_chain({identity(std::move(options))}));
    control_->fail("cuCtxSynchronize", 719, 0);
    double_->fail_runs(0, 1, "CUDA error 719");
    EXPECT_EQ(harness.infer({1}).outcome, Outcome::kFailed);
    EXPECT_EQ(harness.engine().take_fallbacks().size(), replaceable ? 1U : 0U);
    EXPECT_EQ(harness.stage().fallback.has_value(), replaceable);
    const StageChange to_cpu{0, identity({}), {}, {}, {}, {}};
    expect_ok(harness.engine().reconfigure({&to_cpu, 1}));
    EXPECT_FALSE(harness.stage().fallback);
    EXPECT_TRUE(multiplied(harness.infer({2}), {2}, 1));
  }
}

// Engines that end -----------------------------------------------------------------------------

TEST_F(CudaOnnxEndTest, ACancelledRequestLetsGoOfItsRows) {
  EngineHarness harness(closed(kernel_chain({identity(), identity()})));
  const auto index = between(harness);
  EXPECT_TRUE(harness.engine().cancel(index));
  expect_ok(harness.engine().scale(1, 1));
  EXPECT_TRUE(harness.drained());
  EXPECT_EQ(harness.stage(1).skipped, 2U);
  EXPECT_EQ(held_bytes(harness), 0U);
}

TEST_F(CudaOnnxEndTest, AnEngineThatEndsLeavesNothingOnTheDevice) {
  EngineHarness harness(closed(kernel_chain({identity(), kernel_model()})));
  const auto index = between(harness);
  harness.engine().stop(true);
  harness.engine().abandon();
  EXPECT_EQ(harness.answer(index).outcome, Outcome::kClosed);
  EXPECT_GT(CudaBudget::of(*open_before_).taken(), 0U);
  harness.destroy();
  EXPECT_EQ(CudaBudget::of(*open_before_).taken(), 0U);
}

}  // namespace
}  // namespace millrace
