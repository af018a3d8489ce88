// Kernels that hand what they make to the next on the device: which copies are left, what they are
// given, and that nothing of it stays behind.
#include <thread>

#include "cuda_chain.h"
#include "model/fallback_model.h"

namespace millrace {
namespace {

TEST_F(CudaHandingTest, ANeighbourReadsTheRowsOfABatchWhereTheyLie) {
  EngineHarness harness(closed(kernel_chain({kernel_model(), kernel_model()})));
  const auto index = harness.submit({1, 2, 3});
  serve_in_turn(harness, 3);
  EXPECT_TRUE(multiplied(harness.answer(index), {1, 2, 3}, 4));
  EXPECT_EQ(to_device(), 1);
  EXPECT_EQ(on_device(), 0);
  EXPECT_EQ(to_host(), 1);  // the pipeline's output
  EXPECT_EQ(harness.stage(0).handed_on, 3U);
  EXPECT_EQ(harness.stage(1).handed_on, 0U);
}

TEST_F(CudaHandingTest, NothingComesBackBetweenThreeStages) {
  EngineHarness harness(closed(kernel_chain({kernel_model(), kernel_model(), kernel_model()})));
  const auto index = harness.submit({1, 2, 3, 4, 5});
  serve_in_turn(harness, 5);
  EXPECT_TRUE(multiplied(harness.answer(index), {1, 2, 3, 4, 5}, 8));
  EXPECT_EQ(to_device(), 1);
  EXPECT_EQ(to_host(), 1);
}

TEST_F(CudaHandingTest, RowsOfSeveralBatchesAreCopiedTogetherOnTheDevice) {
  PipelineSpec spec = closed(kernel_chain({kernel_model(), kernel_model()}));
  spec.stages[0].max_batch = 1;
  EngineHarness harness(std::move(spec));
  const auto a = harness.submit({1});
  const auto b = harness.submit({2, 3});
  serve_in_turn(harness, 3);
  EXPECT_TRUE(multiplied(harness.answer(a), {1}, 4));
  EXPECT_TRUE(multiplied(harness.answer(b), {2, 3}, 4));
  EXPECT_EQ(harness.stage(1).batches, 1U);
  EXPECT_EQ(on_device(), 3);
  EXPECT_EQ(to_host(), 1);
}

// A kernel may read several elements at once where its tensor begins.
TEST_F(CudaHandingTest, AStretchFromTheMiddleOfABlockIsCopiedToWhereATensorMayBegin) {
  PipelineSpec spec = closed(kernel_chain({kernel_model(), kernel_model()}));
  spec.stages[1].max_batch = 2;
  EngineHarness harness(std::move(spec));
  const auto index = harness.submit({1, 2, 3, 4});
  serve_in_turn(harness, 4);
  EXPECT_TRUE(multiplied(harness.answer(index), {1, 2, 3, 4}, 4));
  EXPECT_EQ(harness.stage(1).batches, 2U);
  EXPECT_EQ(on_device(), 1);
}

TEST_F(CudaHandingTest, AllReadersOnTheDeviceReadTheSameRows) {
  EngineHarness harness(
      pipeline_of({stage_of("a", kernel_model(), {{from_request()}}),
                   stage_of("b", kernel_model(), {{from_stage(0, 0)}}),
                   stage_of("c", kernel_model(), {{from_stage(0, 0)}}),
                   stage_of("sum", fake_adding(1000, 2), {{from_stage(1, 0)}, {from_stage(2, 0)}})},
                  {from_stage(3)}));
  const Answer answer = harness.infer({1, 2});
  ASSERT_EQ(answer.outcome, Outcome::kCompleted) << answer.message;
  EXPECT_EQ(answer.values[0], 1008);
  EXPECT_EQ(answer.values[kWidth], 1016);
  EXPECT_EQ(harness.stage(0).handed_on, 2U);
  EXPECT_EQ(held_bytes(harness), 0U);
}

TEST_F(CudaHandingTest, AValueThatAStageOnTheHostReadsComesBackForAll) {
  EngineHarness harness(
      pipeline_of({stage_of("a", kernel_model(), {{from_request()}}),
                   stage_of("b", kernel_model(), {{from_stage(0, 0)}}),
                   stage_of("c", fake_adding(100), {{from_stage(0, 0)}}),
                   stage_of("sum", fake_adding(1000, 2), {{from_stage(1, 0)}, {from_stage(2)}})},
                  {from_stage(3)}));
  const Answer answer = harness.infer({1});
  ASSERT_EQ(answer.outcome, Outcome::kCompleted) << answer.message;
  EXPECT_EQ(answer.values[0], 4 + 102 + 1000);
  EXPECT_EQ(harness.stage(0).handed_on, 0U);
  EXPECT_EQ(to_host(), 2);
}

TEST_F(CudaHandingTest, RowsTakeTheFirstOfTheCandidatesThatRan) {
  PipelineSpec spec =
      pipeline_of({stage_of("score", fake_adding(0), {{from_request()}}),
                   stage_of("a", kernel_model(), {{from_request()}}),
                   stage_of("b", kernel_model(), {{from_stage(1, 0)}}),
                   stage_of("c", kernel_model(), {{from_stage(2, 0), from_stage(1, 0)}})},
                  {from_stage(3, 0)});
  spec.stages[2].condition = Condition{from_stage(0, FakeModel::kScore), 0.5, {}, {}};
  EngineHarness harness(std::move(spec));
  EXPECT_TRUE(multiplied(harness.infer({0}), {0}, 8));
  EXPECT_TRUE(multiplied(harness.infer({1, 2}), {1, 2}, 4));
  EXPECT_EQ(harness.stage(1).handed_on, 3U);
  EXPECT_EQ(held_bytes(harness), 0U);
}

TEST_F(CudaHandingTest, NothingIsAllocatedWhileTrafficIsSteady) {
  EngineHarness harness(kernel_chain({kernel_model(), kernel_model()}));
  for (int i = 0; i < 20; ++i) harness.infer({1, 2});
  const int before = count_of("cuMemAlloc_v2");
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(multiplied(harness.infer({3, 4}), {3, 4}, 4));
  EXPECT_LE(count_of("cuMemAlloc_v2"), before + 2);  // one and two rows may come together anew
}

TEST_F(CudaHandingTest, RowsAreLetGoOfWhenTheirLastReaderHasRunAndNotWithTheRequest) {
  const auto slow = fake_adding(1);
  slow->script().gate.close();
  EngineHarness harness(pipeline_of({stage_of("a", kernel_model(), {{from_request()}}),
                                     stage_of("b", kernel_model(), {{from_stage(0, 0)}}),
                                     stage_of("slow", slow, {{from_stage(1, 0)}})},
                                    {from_stage(2)}));
  const auto index = harness.submit({1});
  EXPECT_TRUE(eventually([&] { return slow->script().running == 1; }));
  expect_ok(harness.engine().scale(0, 0));
  expect_ok(harness.engine().scale(1, 0));
  EXPECT_EQ(CudaBudget::of(*open_before_).taken(), 0U);
  slow->script().gate.open();
  EXPECT_EQ(harness.answer(index).values.at(0), 5);
}

TEST_F(CudaHandingTest, ReplicasAreWarmedUpOnZerosOfTheHost) {
  PipelineSpec spec = kernel_chain({kernel_model(), kernel_model()});
  spec.warm_up = true;
  EngineHarness harness(std::move(spec));
  EXPECT_EQ(launches(), 8);  // 1, 2, 4 and 8 rows each
  EXPECT_TRUE(multiplied(harness.infer({1, 2}), {1, 2}, 4));
  EXPECT_EQ(harness.stage(0).handed_on, 2U);
}

// What ends early ------------------------------------------------------------------------------

class CudaHandingEndTest : public CudaHandingTest {
 protected:
  // A request whose rows lie on the device, between the two stages.
  std::uint32_t between(EngineHarness& harness, const SubmitOptions& options = {}) {
    const auto index = harness.submit({1, 2}, options);
    expect_ok(harness.engine().scale(0, 1));
    EXPECT_TRUE(eventually([&] { return harness.stage(1).waiting == 2; }));
    return index;
  }
  static PipelineSpec chain() { return closed(kernel_chain({kernel_model(), kernel_model()})); }
};

TEST_F(CudaHandingEndTest, ACancelledRequestLetsGoOfItsRows) {
  EngineHarness harness(chain());
  const auto index = between(harness);
  EXPECT_TRUE(harness.engine().cancel(index));
  expect_ok(harness.engine().scale(1, 1));
  EXPECT_TRUE(harness.drained());
  EXPECT_EQ(harness.stage(1).skipped, 2U);
  EXPECT_EQ(held_bytes(harness), 0U);
}

TEST_F(CudaHandingEndTest, AnExpiredRequestDoes) {
  EngineHarness harness(chain());
  harness.expires = true;
  SubmitOptions options;
  options.deadline = harness.in(1'000 * kMs);
  const auto index = between(harness, options);
  EXPECT_EQ(harness.answer(index).outcome, Outcome::kDeadlineExceeded);
  expect_ok(harness.engine().scale(1, 1));
  EXPECT_TRUE(harness.drained());
  EXPECT_EQ(held_bytes(harness), 0U);
}

TEST_F(CudaHandingEndTest, ARequestThatFailsThereDoesToo) {
  EngineHarness harness(chain());
  const auto index = between(harness);
  for (int i = 0; i < 3; ++i) control_->fail("cuLaunchKernel", 1, 0);  // both, and each alone
  expect_ok(harness.engine().scale(1, 1));
  EXPECT_EQ(harness.answer(index).outcome, Outcome::kFailed);
  EXPECT_TRUE(harness.drained());
  EXPECT_EQ(held_bytes(harness), 0U);
}

TEST_F(CudaHandingEndTest, ARowThatIsRunAgainReadsWhatWasLeft) {
  EngineHarness harness(chain());
  const auto index = between(harness);
  control_->fail("cuLaunchKernel", 1, 0);
  expect_ok(harness.engine().scale(1, 1));
  EXPECT_TRUE(multiplied(harness.answer(index), {1, 2}, 4));
  EXPECT_EQ(harness.stage(1).retries, 1U);
}

TEST_F(CudaHandingEndTest, AnEngineThatEndsLeavesNothingOnTheDevice) {
  EngineHarness harness(chain());
  const auto index = between(harness);
  harness.engine().stop(true);
  harness.engine().abandon();
  EXPECT_EQ(harness.answer(index).outcome, Outcome::kClosed);
  EXPECT_GT(CudaBudget::of(*open_before_).taken(), 0U);
  harness.destroy();
  EXPECT_EQ(CudaBudget::of(*open_before_).taken(), 0U);
}

TEST_F(CudaHandingEndTest, AnEngineMayEndWhileABatchReadsThem) {
  EngineHarness harness(chain());
  between(harness);
  control_->hold(true);
  const int before = launches();
  expect_ok(harness.engine().scale(1, 1));
  EXPECT_TRUE(eventually([&] { return launches() > before; }));
  std::thread control([&] { harness.engine().stop(true); });
  release_device();
  control.join();
}

// Models that change ---------------------------------------------------------------------------

using CudaHandingSwapTest = CudaHandingEndTest;

TEST_F(CudaHandingSwapTest, AReaderMayBecomeAModelOfTheHostAndAKernelAgain) {
  EngineHarness harness(kernel_chain({kernel_model(), kernel_model()}));
  EXPECT_TRUE(multiplied(harness.infer({1, 2}), {1, 2}, 4));
  const StageChange to_host_model{1, fake_adding(100), {}, {}, {}, {}};
  expect_ok(harness.engine().reconfigure({&to_host_model, 1}));
  const Answer answer = harness.infer({1, 2});
  ASSERT_EQ(answer.outcome, Outcome::kCompleted) << answer.message;
  EXPECT_EQ(answer.values[0], 102);
  EXPECT_EQ(answer.values[kWidth], 104);
  const StageChange back{1, kernel_model(), {}, {}, {}, {}};
  expect_ok(harness.engine().reconfigure({&back, 1}));
  EXPECT_TRUE(multiplied(harness.infer({3}), {3}, 4));
  EXPECT_EQ(harness.stage(0).handed_on, 5U);
  EXPECT_EQ(held_bytes(harness), 0U);
}

TEST_F(CudaHandingSwapTest, RowsThatWaitOnTheDeviceAreShownToItOnTheHost) {
  EngineHarness harness(chain());
  const auto index = between(harness);
  const StageChange change{1, std::make_shared<HostDoubleModel>(), 1, {}, {}, {}};
  expect_ok(harness.engine().reconfigure({&change, 1}));
  EXPECT_TRUE(multiplied(harness.answer(index), {1, 2}, 4));
  EXPECT_EQ(count_of("cuMemcpyDtoH_v2"), 1);  // they lie one behind the other
}

TEST_F(CudaHandingSwapTest, WhatAModelOfTheHostLeavesIsCopiedToTheDevice) {
  EngineHarness harness(kernel_chain({kernel_model(), kernel_model()}));
  const StageChange change{0, std::make_shared<HostDoubleModel>(), {}, {}, {}, {}};
  expect_ok(harness.engine().reconfigure({&change, 1}));
  EXPECT_TRUE(multiplied(harness.infer({1, 2, 3}), {1, 2, 3}, 4));
  EXPECT_EQ(harness.stage(0).handed_on, 0U);
}

TEST_F(CudaHandingSwapTest, BothMayBeModelsOfTheHost) {
  EngineHarness harness(kernel_chain({kernel_model(), kernel_model()}));
  const std::vector<StageChange> changes{{0, std::make_shared<HostDoubleModel>(), {}, {}, {}, {}},
                                         {1, std::make_shared<HostDoubleModel>(), {}, {}, {}, {}}};
  expect_ok(harness.engine().reconfigure(changes));
  const int before = launches();
  EXPECT_TRUE(multiplied(harness.infer({1, 2, 3}), {1, 2, 3}, 4));
  EXPECT_EQ(launches(), before);
}

TEST_F(CudaHandingSwapTest, AKernelOnAnotherDeviceIsGivenItsRowsByWayOfTheHost) {
  control_->set_devices(2);
  EngineHarness harness(kernel_chain({kernel_model(), kernel_model()}));
  CudaModelOptions options = kernel_options();
  options.device = 1;
  for (const std::size_t stage : {1U, 0U}) {
    const StageChange change{stage, kernel_model(options), {}, {}, {}, {}};
    expect_ok(harness.engine().reconfigure({&change, 1}));
    EXPECT_TRUE(multiplied(harness.infer({1, 2}), {1, 2}, 4));
  }
  EXPECT_EQ(harness.stage(0).handed_on, 2U);  // while it was on the first
}

// Memory, and devices that are lost -------------------------------------------------------------

using CudaHandingMemoryTest = CudaHandingEndTest;

TEST_F(CudaHandingMemoryTest, WhereThereIsNoRoomForABlockRowsGoByWayOfTheHost) {
  EngineHarness harness(kernel_chain({kernel_model(limited(0)), kernel_model()}));
  EXPECT_TRUE(multiplied(harness.infer({1, 2, 3}), {1, 2, 3}, 4));
  EXPECT_EQ(harness.stage(0).handed_on, 0U);
  EXPECT_EQ(harness.stage(0).failed, 0U);
  EXPECT_EQ(on_device(), 0);
}

TEST_F(CudaHandingMemoryTest, RowsOfTheHostAndOfTheDeviceShareABatch) {
  EngineHarness harness(closed(kernel_chain({kernel_model(limited(1)), kernel_model()})));
  const auto a = harness.submit({1});
  expect_ok(harness.engine().scale(0, 1));
  EXPECT_TRUE(eventually([&] { return harness.stage(1).waiting == 1; }));
  const auto b = harness.submit({2});
  EXPECT_TRUE(eventually([&] { return harness.stage(1).waiting == 2; }));
  expect_ok(harness.engine().scale(1, 1));
  EXPECT_TRUE(multiplied(harness.answer(a), {1}, 4));
  EXPECT_TRUE(multiplied(harness.answer(b), {2}, 4));
  EXPECT_EQ(harness.stage(0).handed_on, 1U);
  EXPECT_EQ(harness.stage(1).batches, 1U);
  EXPECT_EQ(on_device(), 1);
}

TEST_F(CudaHandingMemoryTest, ADeviceThatHasNoRoomLeftDoesNotFailABatch) {
  EngineHarness harness(kernel_chain({kernel_model(), kernel_model()}));
  control_->fail("cuMemAlloc_v2", 2, 0);
  EXPECT_TRUE(multiplied(harness.infer({1}), {1}, 4));
  EXPECT_EQ(harness.stage(0).handed_on, 0U);
  EXPECT_TRUE(multiplied(harness.infer({1}), {1}, 4));
  EXPECT_EQ(harness.stage(0).handed_on, 1U);
}

class CudaHandingLostTest : public CudaHandingEndTest {
 protected:
  static std::shared_ptr<Model> with_fallback(float add, const CudaModelOptions& options) {
    return std::make_shared<FallbackModel>(kernel_model(options), fake_adding(add));
  }
  static PipelineSpec chain_of(const CudaModelOptions& options) {
    return closed(
        kernel_chain({with_fallback(100, options), with_fallback(1000, kernel_options())}));
  }
};

TEST_F(CudaHandingLostTest, RowsThatWereOnTheDeviceFailAndSayWhy) {
  EngineHarness harness(chain_of(kernel_options()));
  const auto index = between(harness);
  lose_device();
  expect_ok(harness.engine().scale(1, 1));
  const Answer answer = harness.answer(index);
  EXPECT_EQ(answer.outcome, Outcome::kFailed);
  EXPECT_EQ(answer.failed_stage, 1U);
  EXPECT_NE(answer.message.find("the rows that it is given are on CUDA device 0, which is lost to "
                                "this process (cuMemcpyDtoH_v2"),
            std::string::npos)
      << answer.message;
  EXPECT_EQ(harness.infer({5}).outcome, Outcome::kFailed);  // which finds out in the first stage
  EXPECT_TRUE(adds(harness.infer({3, 4}), {3, 4}, 1100));
  EXPECT_TRUE(harness.drained());
  EXPECT_EQ(held_bytes(harness), 0U);
}

TEST_F(CudaHandingLostTest, RowsThatWereOnTheHostComeThrough) {
  EngineHarness harness(chain_of(limited(0)));
  const auto index = between(harness);
  lose_device();
  expect_ok(harness.engine().scale(1, 1));
  const Answer answer = harness.answer(index);
  ASSERT_EQ(answer.outcome, Outcome::kCompleted) << answer.message;
  EXPECT_EQ(answer.values[0], 1002);
  EXPECT_EQ(answer.values[kWidth], 1004);
}

TEST_F(CudaHandingLostTest, OfABatchOfBothOnlyTheFormerFail) {
  EngineHarness harness(chain_of(limited(1)));
  const auto on_device_row = harness.submit({1});
  expect_ok(harness.engine().scale(0, 1));
  EXPECT_TRUE(eventually([&] { return harness.stage(1).waiting == 1; }));
  const auto on_host_row = harness.submit({2});
  EXPECT_TRUE(eventually([&] { return harness.stage(1).waiting == 2; }));
  EXPECT_EQ(harness.stage(0).handed_on, 1U);
  lose_device();
  expect_ok(harness.engine().scale(1, 1));
  EXPECT_EQ(harness.answer(on_device_row).outcome, Outcome::kFailed);
  const Answer answer = harness.answer(on_host_row);
  ASSERT_EQ(answer.outcome, Outcome::kCompleted) << answer.message;
  EXPECT_EQ(answer.values[0], 1004);
}

TEST_F(CudaHandingLostTest, AReaderThatServesFindsOutAndItsFallbackGoesOn) {
  EngineHarness harness(chain_of(kernel_options()));
  for (const std::size_t stage : {0U, 1U}) expect_ok(harness.engine().scale(stage, 1));
  EXPECT_TRUE(multiplied(harness.infer({1}), {1}, 4));
  control_->fail("kernel", 719, 1);  // of the second stage
  EXPECT_EQ(harness.infer({2}).outcome, Outcome::kFailed);
  EXPECT_EQ(harness.infer({2}).outcome, Outcome::kFailed);
  EXPECT_TRUE(adds(harness.infer({3}), {3}, 1100));
}

}  // namespace
}  // namespace millrace
