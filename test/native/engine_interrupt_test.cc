// A batch that nobody waits for any more is ended, and only then.
#include "engine_harness.h"

namespace millrace {
namespace {

// One replica whose runs the test holds at a gate.
struct EngineInterrupt : testing::Test {
  EngineInterrupt() { model->script().gate.close(); }

  [[nodiscard]] bool runs(int count) const {
    return eventually(
        [&] { return model->script().running == 1 && model->script().runs == count; });
  }

  const std::shared_ptr<FakeModel> model = fake();
  EngineHarness harness{single(model)};
};

TEST_F(EngineInterrupt, EndsTheRunOfACancelledRequest) {
  const std::uint32_t index = harness.submit({1, 2});
  ASSERT_TRUE(runs(1));
  EXPECT_TRUE(harness.engine().cancel(index));
  EXPECT_TRUE(harness.drained()) << "the gate is still closed";
  const StageStats stage = harness.stage();
  EXPECT_EQ(stage.interrupted, 1u);
  EXPECT_EQ(stage.skipped, 2u);
  EXPECT_EQ(stage.failed, 0u);
  EXPECT_EQ(stage.retries, 0u);
  model->script().gate.open();
  EXPECT_TRUE(adds(harness.infer({3}), {3}, 1)) << "the replica goes on";
}

TEST_F(EngineInterrupt, EndsTheRunOfAnExpiredRequest) {
  SubmitOptions soon;
  soon.deadline = harness.in(50 * kMs);
  harness.expires = true;
  const std::uint32_t index = harness.submit({1}, soon);
  ASSERT_TRUE(runs(1));
  EXPECT_EQ(harness.answer(index).outcome, Outcome::kDeadlineExceeded);
  EXPECT_TRUE(harness.drained());
  EXPECT_EQ(harness.stage().interrupted, 1u);
}

TEST_F(EngineInterrupt, LeavesARunAloneThatSomebodyStillWaitsFor) {
  const std::uint32_t blocking = harness.submit({9});
  ASSERT_TRUE(runs(1));
  const std::uint32_t left = harness.submit({1});
  const std::uint32_t stays = harness.submit({2});
  EXPECT_TRUE(harness.engine().cancel(blocking));
  ASSERT_TRUE(runs(2)) << "a batch of both";
  EXPECT_TRUE(harness.engine().cancel(left));
  EXPECT_EQ(model->script().interrupts, 1);
  model->script().gate.open();
  EXPECT_TRUE(adds(harness.answer(stays), {2}, 1));
  EXPECT_EQ(harness.stage().interrupted, 1u);
}

TEST_F(EngineInterrupt, EndsARunWhoseRequestFailedElsewhere) {
  const auto failing = fake();
  PipelineSpec spec = pipeline_of(
      {stage_of("a", model, {{from_request()}}), stage_of("b", failing, {{from_request()}})},
      {from_stage(0)});
  EngineHarness both(spec);
  failing->script().gate.close();
  const std::uint32_t index = both.submit({kPoison});
  ASSERT_TRUE(runs(1));
  failing->script().gate.open();
  EXPECT_EQ(both.answer(index).outcome, Outcome::kFailed);
  EXPECT_TRUE(both.drained()) << "the gate of the other is still closed";
  EXPECT_EQ(both.stage(0).interrupted, 1u);
}

TEST_F(EngineInterrupt, LeavesItsPlaceInABatchToOthersThatWait) {
  const std::uint32_t blocking = harness.submit({100});
  ASSERT_TRUE(runs(1));
  std::vector<std::uint32_t> stay;
  for (float n = 0; n < 8; ++n) {
    const std::uint32_t leaves = harness.submit({n, n});
    stay.push_back(harness.submit({n}));
    EXPECT_TRUE(harness.engine().cancel(leaves));
  }
  model->script().gate.open();
  for (const std::uint32_t index : stay) {
    EXPECT_EQ(harness.answer(index).outcome, Outcome::kCompleted);
  }
  EXPECT_EQ(harness.answer(blocking).outcome, Outcome::kCompleted);
  EXPECT_EQ(harness.stage().batches, 2u) << "one full batch of those that stay";
  EXPECT_EQ(harness.stage().skipped, 16u);
}

TEST_F(EngineInterrupt, StillEndsWhenItIsStopped) {
  const std::uint32_t index = harness.submit({1});
  ASSERT_TRUE(runs(1));
  harness.engine().stop(true);
  EXPECT_EQ(harness.answer(index).outcome, Outcome::kClosed);
  EXPECT_EQ(harness.stage().interrupted, 0u);
}

// Cancels just as runs begin and end, for as long as it takes to hit every moment.
TEST(EngineInterruptUnderLoad, NeverHitsARunThatSomebodyWaitsFor) {
  const auto model = fake();
  model->script().record = false;
  PipelineSpec spec = single(model);
  spec.stages[0].max_batch = 2;
  spec.stages[0].replicas = 2;
  EngineHarness harness(spec);
  int cancelled = 0;
  for (int round = 0; round < 3000; ++round) {
    const std::uint32_t first = harness.submit({1});
    const std::uint32_t second = harness.submit({2});
    for (int spin = 0; spin < round % 50; ++spin) cpu_relax();
    if (harness.engine().cancel(first)) {
      ++cancelled;
    } else {
      EXPECT_TRUE(adds(harness.answer(first), {1}, 1));
    }
    ASSERT_TRUE(adds(harness.answer(second), {2}, 1));
  }
  EXPECT_TRUE(harness.drained());
  const EngineStats stats = harness.engine().stats();
  EXPECT_EQ(stats.outcomes[static_cast<std::size_t>(Outcome::kCompleted)] +
                static_cast<std::uint64_t>(cancelled),
            6000u);
  EXPECT_EQ(stats.stages[0].failed, 0u);
}

}  // namespace
}  // namespace millrace
