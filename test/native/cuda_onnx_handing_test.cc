// Kernels and models of ONNX Runtime on one device that hand rows to each other there: what ONNX
// Runtime is given, which copies are left, and that nothing of it stays behind.
#include <cmath>
#include <fstream>
#include <thread>

#include "cuda_onnx.h"
#include "model/fallback_model.h"

namespace millrace {
namespace {

using CudaOnnxHandingTest = CudaOnnxTest;

TEST_F(CudaOnnxHandingTest, AModelReadsTheRowsOfAKernelWhereTheyLie) {
  EngineHarness harness(closed(kernel_chain({kernel_model(), identity()})));
  const auto index = harness.submit({1, 2, 3});
  serve_in_turn(harness, 3);
  EXPECT_TRUE(multiplied(harness.answer(index), {1, 2, 3}, 2));
  ASSERT_EQ(runs().size(), 1U);
  EXPECT_TRUE(on_device(runs()[0].inputs[0]));
  EXPECT_EQ(runs()[0].outputs[0], "host") << "it is the pipeline's output";
  EXPECT_EQ(to_device(), 1);
  EXPECT_EQ(copies(), 1);
  EXPECT_EQ(harness.stage(0).handed_on, 3U);
}

TEST_F(CudaOnnxHandingTest, AKernelReadsTheRowsOfAModelWhereTheyLie) {
  EngineHarness harness(closed(kernel_chain({identity(), kernel_model()})));
  const auto index = harness.submit({1, 2, 3});
  serve_in_turn(harness, 3);
  EXPECT_TRUE(multiplied(harness.answer(index), {1, 2, 3}, 2));
  ASSERT_EQ(runs().size(), 1U);
  EXPECT_EQ(runs()[0].inputs[0], "host");
  EXPECT_TRUE(on_device(runs()[0].outputs[0]));
  EXPECT_EQ(copies(), 1);  // the pipeline's output
  EXPECT_EQ(to_host(), 1);
  EXPECT_EQ(harness.stage(0).handed_on, 3U);
}

TEST_F(CudaOnnxHandingTest, AModelReadsTheRowsOfAModelWhereTheyLie) {
  EngineHarness harness(closed(kernel_chain({identity(), identity(), identity()})));
  const auto index = harness.submit({1, 2, 3});
  serve_in_turn(harness, 3);
  EXPECT_TRUE(multiplied(harness.answer(index), {1, 2, 3}, 1));
  ASSERT_EQ(runs().size(), 3U);
  EXPECT_EQ(runs()[1].inputs[0], runs()[0].outputs[0]);
  EXPECT_EQ(runs()[2].inputs[0], runs()[1].outputs[0]);
  EXPECT_TRUE(on_device(runs()[2].inputs[0]));
  EXPECT_EQ(copies(), 0);
}

TEST_F(CudaOnnxHandingTest, RowsOfSeveralBatchesAreCopiedTogetherOnTheDevice) {
  PipelineSpec spec = closed(kernel_chain({kernel_model(), identity(), kernel_model()}));
  spec.stages[0].max_batch = 1;
  EngineHarness harness(std::move(spec));
  const auto a = harness.submit({1});
  const auto b = harness.submit({2, 3});
  serve_in_turn(harness, 3);
  EXPECT_TRUE(multiplied(harness.answer(a), {1}, 4));
  EXPECT_TRUE(multiplied(harness.answer(b), {2, 3}, 4));
  ASSERT_EQ(runs().size(), 1U);
  EXPECT_TRUE(on_device(runs()[0].inputs[0]));
  EXPECT_EQ(CudaHandingTest::on_device(), 3);
  EXPECT_EQ(to_host(), 1);
  EXPECT_EQ(held_bytes(harness), 0U);
}

TEST_F(CudaOnnxHandingTest, AStretchFromTheMiddleOfABlockIsCopiedToWhereATensorMayBegin) {
  PipelineSpec spec = closed(kernel_chain({kernel_model(), identity()}));
  spec.stages[1].max_batch = 2;
  EngineHarness harness(std::move(spec));
  const auto index = harness.submit({1, 2, 3, 4});
  serve_in_turn(harness, 4);
  EXPECT_TRUE(multiplied(harness.answer(index), {1, 2, 3, 4}, 2));
  EXPECT_EQ(runs().size(), 2U);
  EXPECT_EQ(CudaHandingTest::on_device(), 1);
}

// Two run at once, so that what is gathered for one is not the other's.
TEST_F(CudaOnnxHandingTest, ReplicasOfAModelShareTheDevice) {
  PipelineSpec spec = kernel_chain({kernel_model(), identity(), kernel_model()});
  for (StageSpec& stage : spec.stages) stage.replicas = 2;
  spec.stages[0].max_batch = 1;
  EngineHarness harness(std::move(spec));
  std::vector<std::uint32_t> requests;
  for (int i = 0; i < 200; ++i)
    requests.push_back(harness.submit({static_cast<float>(i), static_cast<float>(i + 1)}));
  for (int i = 0; i < 200; ++i) {
    const auto first = static_cast<float>(i);
    EXPECT_TRUE(multiplied(harness.answer(requests[i]), {first, first + 1}, 4));
  }
  EXPECT_EQ(held_bytes(harness), 0U);
}

TEST_F(CudaOnnxHandingTest, AllReadersOnTheDeviceReadTheSameRows) {
  EngineHarness harness(closed(
      pipeline_of({stage_of("a", identity(), {{from_request()}}),
                   stage_of("b", kernel_model(), {{from_stage(0, 0)}}),
                   stage_of("c", identity(), {{from_stage(0, 0)}}),
                   stage_of("sum", fake_adding(1000, 2), {{from_stage(1, 0)}, {from_stage(2, 0)}})},
                  {from_stage(3)})));
  const auto index = harness.submit({1, 2});
  serve_in_turn(harness, 2);
  const Answer answer = harness.answer(index);
  ASSERT_EQ(answer.outcome, Outcome::kCompleted) << answer.message;
  EXPECT_EQ(answer.values[0], 1003);
  EXPECT_EQ(answer.values[kWidth], 1006);
  ASSERT_EQ(runs().size(), 2U);
  EXPECT_EQ(runs()[1].inputs[0], runs()[0].outputs[0]);
  EXPECT_EQ(to_device(), 0);
  EXPECT_EQ(held_bytes(harness), 0U);
}

TEST_F(CudaOnnxHandingTest, AValueThatAStageOnTheHostReadsComesBackForAll) {
  EngineHarness harness(
      pipeline_of({stage_of("a", identity(), {{from_request()}}),
                   stage_of("b", kernel_model(), {{from_stage(0, 0)}}),
                   stage_of("c", fake_adding(100), {{from_stage(0, 0)}}),
                   stage_of("sum", fake_adding(1000, 2), {{from_stage(1, 0)}, {from_stage(2)}})},
                  {from_stage(3)}));
  const Answer answer = harness.infer({1});
  ASSERT_EQ(answer.outcome, Outcome::kCompleted) << answer.message;
  EXPECT_EQ(answer.values[0], 2 + 101 + 1000);
  EXPECT_EQ(harness.stage(0).handed_on, 0U);
  EXPECT_EQ(runs()[0].outputs[0], "host");
}

TEST_F(CudaOnnxHandingTest, InputsOfTheHostAndOfTheDeviceShareARun) {
  const auto both = load(test_model("two-inputs"), on_cuda());
  CudaModelOptions options = kernel_options();
  options.inputs[0].dims = options.outputs[0].dims = {-1, 2};
  options.block = {2, 1, 1};
  PipelineSpec spec;
  spec.inputs = {{"x", DataType::kFloat32, {-1, 2}}};
  spec.stages = {stage_of("k", kernel_model(options), {{from_request()}}),
                 stage_of("both", both, {{from_stage(0, 0)}, {from_request()}})};
  spec.outputs = {{"y", {from_stage(1, 1)}, bytes_of(-1), "none"}};  // 2x - x
  EngineHarness harness(std::move(spec));
  const std::vector<float> x{1, 2, 3, 4};
  CallerInput input;
  input.data = reinterpret_cast<const std::byte*>(x.data());
  input.row_bytes = 2 * sizeof(float);
  SubmitOptions two;
  two.rows = 2;
  const Answer answer = harness.answer(harness.engine().submit(two, {&input, 1}).index);
  ASSERT_EQ(answer.outcome, Outcome::kCompleted) << answer.message;
  EXPECT_EQ(answer.values, x);
  EXPECT_TRUE(on_device(runs()[0].inputs[0]));
  EXPECT_EQ(runs()[0].inputs[1], "host");
}

TEST_F(CudaOnnxHandingTest, NothingIsAllocatedWhileTrafficIsSteady) {
  EngineHarness harness(kernel_chain({kernel_model(), identity(), kernel_model()}));
  for (int i = 0; i < 20; ++i) harness.infer({1, 2});
  const int before = count_of("cuMemAlloc_v2");
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(multiplied(harness.infer({3, 4}), {3, 4}, 4));
  EXPECT_LE(count_of("cuMemAlloc_v2"), before + 8);  // rows may come together anew, or apart
}

TEST_F(CudaOnnxHandingTest, ReplicasAreWarmedUpOnZerosOfTheHost) {
  PipelineSpec spec = kernel_chain({identity(), identity()});
  spec.warm_up = true;
  EngineHarness harness(std::move(spec));
  EXPECT_EQ(runs().size(), 8U);  // 1, 2, 4 and 8 rows each
  EXPECT_TRUE(multiplied(harness.infer({1, 2}), {1, 2}, 1));
  EXPECT_EQ(harness.stage(0).handed_on, 2U);
}

// 8 x 8 images, doubled by a kernel, recognised by a model, whose probabilities a kernel doubles:
// as the model gives them on the CPU for the doubled images.
TEST_F(CudaOnnxHandingTest, ARealModelBetweenKernelsGivesWhatItGivesOnTheHost) {
  CudaModelOptions pixels = kernel_options();
  pixels.inputs[0].dims = pixels.outputs[0].dims = {-1, 1, 8, 8};
  pixels.block = {64, 1, 1};
  CudaModelOptions odds = kernel_options();
  odds.inputs[0].dims = odds.outputs[0].dims = {-1, 10};
  odds.block = {10, 1, 1};
  PipelineSpec spec;
  spec.inputs = {{"image", DataType::kFloat32, {-1, 1, 8, 8}}};
  const auto digits = load(digits_model("accurate"), on_cuda());
  spec.stages = {stage_of("pixels", kernel_model(pixels), {{from_request()}}),
                 stage_of("digits", digits, {{from_stage(0, 0)}}),
                 stage_of("odds", kernel_model(odds), {{from_stage(1, 0)}})};
  spec.outputs = {{"y", {from_stage(2, 0)}, bytes_of(-1), "none"}};
  EngineHarness harness(closed(std::move(spec)));

  constexpr std::size_t kImages = 7;
  std::vector<float> images;
  for (std::size_t i = 0; i < kImages * 64; ++i)
    images.push_back(static_cast<float>((i * 7 + i / 64) % 17) / 2);
  CallerInput input;
  input.data = reinterpret_cast<const std::byte*>(images.data());
  input.row_bytes = 64 * sizeof(float);
  SubmitOptions options;
  options.rows = kImages;
  const auto index = harness.engine().submit(options, {&input, 1}).index;
  serve_in_turn(harness, kImages);
  const Answer answer = harness.answer(index);
  ASSERT_EQ(answer.outcome, Outcome::kCompleted) << answer.message;
  EXPECT_EQ(copies(), 2);  // in and out of the pipeline

  for (float& pixel : images) pixel *= 2;
  const auto on_host = load(digits_model("accurate"), {});
  const auto runner = value_of(on_host->make_runner({{0}, kImages}));
  const TensorView image{
      reinterpret_cast<const std::byte*>(images.data()), nullptr, {kImages, 1, 8, 8}};
  RunResult result;
  expect_ok(runner->run({kImages, kNever, {&image, 1}, {}}, result));
  const auto* wanted = reinterpret_cast<const float*>(result.outputs[0].data);
  ASSERT_EQ(answer.values.size(), kImages * 10);
  for (std::size_t i = 0; i < answer.values.size(); ++i)
    EXPECT_FLOAT_EQ(answer.values[i], 2 * wanted[i]);
}

// What is not on the device ----------------------------------------------------------------------

using CudaOnnxElsewhereTest = CudaOnnxTest;

TEST_F(CudaOnnxElsewhereTest, AModelOfAnotherProviderOrDeviceKnowsNothingOfHandles) {
  control_->set_devices(2);
  EXPECT_NE(identity()->block_device(), nullptr);
  EXPECT_EQ(identity()->block_device(), kernel_model()->block_device());
  OnnxModelOptions options = on_cuda();
  options.provider.kind = ProviderKind::kCpu;
  EXPECT_EQ(identity(options)->block_device(), nullptr);
  options = on_cuda(1);
  EXPECT_NE(identity(options)->block_device(), identity()->block_device());
  options.provider.device = 0;
  EXPECT_EQ(identity(options)->block_device(), nullptr);
  options = on_cuda();
  options.provider.options = {{"enable_cuda_graph", "1"}};
  EXPECT_EQ(identity(options)->block_device(), nullptr)
      << "a graph is run again on the addresses of the first run";
  options.provider.options = {{"enable_cuda_graph", "0"}};
  EXPECT_NE(identity(options)->block_device(), nullptr);
  options.blocks = nullptr;
  EXPECT_EQ(identity(options)->block_device(), nullptr);
}

TEST_F(CudaOnnxElsewhereTest, BetweenAKernelAndAModelOfTheCpuRowsGoByWayOfTheHost) {
  EngineHarness harness(kernel_chain({kernel_model(), identity({}), kernel_model()}));
  EXPECT_TRUE(multiplied(harness.infer({1, 2}), {1, 2}, 4));
  EXPECT_EQ(harness.stage(0).handed_on + harness.stage(1).handed_on, 0U);
  for (const OrtRun& run : runs()) {
    EXPECT_EQ(run.inputs[0], "host");
    EXPECT_EQ(run.outputs[0], "host");
  }
}

TEST_F(CudaOnnxElsewhereTest, AModelMayBecomeOneOfTheCpuAndComeBack) {
  EngineHarness harness(kernel_chain({kernel_model(), identity(), kernel_model()}));
  EXPECT_TRUE(multiplied(harness.infer({1, 2}), {1, 2}, 4));
  const StageChange to_cpu{1, identity({}), {}, {}, {}, {}};
  expect_ok(harness.engine().reconfigure({&to_cpu, 1}));
  EXPECT_TRUE(multiplied(harness.infer({3, 4}), {3, 4}, 4));
  EXPECT_EQ(harness.stage(1).handed_on, 2U);
  const StageChange back{1, identity(), {}, {}, {}, {}};
  expect_ok(harness.engine().reconfigure({&back, 1}));
  EXPECT_TRUE(multiplied(harness.infer({5}), {5}, 4));
  EXPECT_EQ(harness.stage(1).handed_on, 3U);
  EXPECT_EQ(held_bytes(harness), 0U);
}

TEST_F(CudaOnnxElsewhereTest, AModelOnAnotherDeviceIsGivenItsRowsByWayOfTheHost) {
  control_->set_devices(2);
  EngineHarness harness(kernel_chain({kernel_model(), identity(), kernel_model()}));
  const StageChange change{1, identity(on_cuda(1)), {}, {}, {}, {}};
  expect_ok(harness.engine().reconfigure({&change, 1}));
  EXPECT_TRUE(multiplied(harness.infer({1, 2}), {1, 2}, 4));
  EXPECT_EQ(harness.stage(1).handed_on, 0U);
  for (const OrtRun& run : runs()) EXPECT_EQ(run.inputs[0], "host");
}

}  // namespace
}  // namespace millrace
