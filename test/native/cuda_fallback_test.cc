// A stage whose device is lost says that it runs on its fallback, and why: once, to its owner, and
// in its statistics for as long as it does.
#include "model/fallback_model.h"

#include <string_view>

#include "cuda_chain.h"

namespace millrace {
namespace {

constexpr int kLost = 719;
// And in brackets the call that found out, whichever that was.
constexpr std::string_view kReason = "kernel twice_rows: CUDA device 0 is lost to this process (";

std::shared_ptr<Model> with_fallback(CudaModelOptions options = kernel_options()) {
  return std::make_shared<FallbackModel>(kernel_model(std::move(options)), fake_adding(100));
}

class CudaFallbackTest : public CudaHandingTest {
 protected:
  // The stages that the owner is told of.
  static std::vector<std::size_t> told(EngineHarness& harness) {
    std::vector<std::size_t> stages;
    for (const Fallbacks::Move& move : harness.engine().take_fallbacks())
      stages.push_back(move.stage);
    return stages;
  }

  using Stages = std::vector<std::size_t>;
};

TEST_F(CudaFallbackTest, IsToldOnceWithTheReasonAndStaysInTheStatistics) {
  EngineHarness harness(kernel_pipeline(with_fallback(), 8));
  EXPECT_TRUE(doubled(harness.infer({1}), {1}));
  EXPECT_FALSE(harness.stage().fallback);
  EXPECT_EQ(told(harness), Stages{});
  control_->fail("kernel", kLost, 0);
  EXPECT_EQ(harness.infer({2}).outcome, Outcome::kFailed);
  const auto moves = harness.engine().take_fallbacks();
  ASSERT_EQ(moves.size(), 1U);
  EXPECT_EQ(moves[0].stage, 0U);
  EXPECT_TRUE(moves[0].reason.starts_with(kReason)) << moves[0].reason;
  EXPECT_TRUE(moves[0].reason.ends_with(": CUDA_ERROR_LAUNCH_FAILED)")) << moves[0].reason;
  EXPECT_TRUE(adds(harness.infer({3, 4}), {3, 4}, 100));
  EXPECT_EQ(told(harness), Stages{});
  EXPECT_EQ(harness.stage().fallback, moves[0].reason);
}

TEST_F(CudaFallbackTest, IsToldOnceOfSeveralReplicasThatFindOut) {
  PipelineSpec spec = kernel_pipeline(with_fallback(), 1);
  spec.stages[0].replicas = 3;
  control_->hold(true);
  EngineHarness harness(std::move(spec));
  std::vector<std::uint32_t> indices;
  for (int i = 0; i < 6; ++i) indices.push_back(harness.submit({1}));
  EXPECT_TRUE(eventually([&] { return launches() == 6; }));
  control_->fail("kernel", kLost, 0);
  release_device();
  for (const std::uint32_t index : indices)
    EXPECT_EQ(harness.answer(index).outcome, Outcome::kFailed);
  EXPECT_EQ(told(harness), Stages{0});
  EXPECT_TRUE(adds(harness.infer({3}), {3}, 100));
  EXPECT_EQ(told(harness), Stages{});
}

TEST_F(CudaFallbackTest, IsNotSaidOfAStageThatHasNone) {
  EngineHarness harness(kernel_pipeline(kernel_model(), 8));
  control_->fail("kernel", kLost, 0);
  EXPECT_EQ(harness.infer({2}).outcome, Outcome::kFailed);
  EXPECT_EQ(told(harness), Stages{});
  EXPECT_FALSE(harness.stage().fallback);
}

TEST_F(CudaFallbackTest, IsToldWhereTheDeviceIsLostAsReplicasAreMade) {
  control_->fail("cuStreamCreate", kLost, 0);
  EngineHarness harness(kernel_pipeline(with_fallback(), 8));
  EXPECT_EQ(told(harness), Stages{0});
  EXPECT_TRUE(adds(harness.infer({1}), {1}, 100));
}

TEST_F(CudaFallbackTest, IsToldWhereItIsLostAsTheyAreWarmedUp) {
  PipelineSpec spec = kernel_pipeline(with_fallback(), 8);
  spec.warm_up = true;
  control_->fail("kernel", kLost, 0);
  EngineHarness harness(std::move(spec));
  EXPECT_EQ(told(harness), Stages{0});
  EXPECT_TRUE(harness.stage().fallback);
}

TEST_F(CudaFallbackTest, IsToldOfEachStageAsItFindsOutItself) {
  EngineHarness harness(kernel_chain({with_fallback(), with_fallback()}));
  EXPECT_TRUE(multiplied(harness.infer({1}), {1}, 4));
  lose_device();
  EXPECT_EQ(harness.infer({2}).outcome, Outcome::kFailed);
  EXPECT_EQ(told(harness), Stages{0});
  EXPECT_FALSE(harness.stage(1).fallback);
  EXPECT_EQ(harness.infer({2}).outcome, Outcome::kFailed);
  EXPECT_EQ(told(harness), Stages{1});
  EXPECT_TRUE(adds(harness.infer({2}), {2}, 200));
}

TEST_F(CudaFallbackTest, IsToldOfAReaderOfBlocksThatIsMadeAfterTheLoss) {
  EngineHarness harness(closed(kernel_chain({with_fallback(), with_fallback()})));
  lose_device();
  expect_ok(harness.engine().scale(1, 1));
  EXPECT_EQ(told(harness), Stages{1});
}

TEST_F(CudaFallbackTest, EndsWithAnotherModelAndMayComeAgain) {
  EngineHarness harness(kernel_pipeline(with_fallback(), 8));
  lose_device();
  EXPECT_EQ(harness.infer({2}).outcome, Outcome::kFailed);
  EXPECT_EQ(told(harness), Stages{0});
  const StageChange other{0, fake_adding(1), {}, {}, {}, {}};
  expect_ok(harness.engine().reconfigure({&other, 1}));
  EXPECT_FALSE(harness.stage().fallback);
  EXPECT_EQ(told(harness), Stages{});
  control_->reset();
  const auto both = with_fallback();
  lose_device();
  const StageChange lost{0, both, {}, {}, {}, {}};
  expect_ok(harness.engine().reconfigure({&lost, 1}));
  EXPECT_TRUE(harness.stage().fallback);
  EXPECT_EQ(told(harness), Stages{0});
}

TEST_F(CudaFallbackTest, IsToldBeforeTheRequestThatFoundOutIsCollected) {
  for (int round = 0; round < 20; ++round) {
    control_->reset();
    EngineHarness harness(kernel_pipeline(with_fallback(), 8));
    control_->fail("kernel", kLost, 0);
    const auto index = harness.submit({1});
    EXPECT_TRUE(eventually([&] { return harness.answered(index); }));
    EXPECT_EQ(told(harness), Stages{0});
  }
}

}  // namespace
}  // namespace millrace
