// What the engine counts for those who watch it: requests within the objective, and distributions
// up to bounds.
#include "engine_harness.h"

namespace millrace {
namespace {

// One request at a time, so that each is a batch of its own.
void infer_each(EngineHarness& harness, int requests) {
  for (int i = 0; i < requests; ++i) EXPECT_TRUE(adds(harness.infer({1}), {1}, {1}));
}

TEST(EngineObjective, CountsEveryCompletedRequestWhereThereIsNone) {
  EngineHarness harness(single(fake_adding(1)));
  infer_each(harness, 3);
  EXPECT_EQ(harness.engine().stats().within_objective, 3u);
}

TEST(EngineObjective, CountsThoseThatTookNoLonger) {
  const auto model = fake_adding(1);
  PipelineSpec spec = single(model);
  spec.objective = 10'000 * kMs;
  EngineHarness harness(std::move(spec));
  infer_each(harness, 2);
  EXPECT_EQ(harness.engine().stats().within_objective, 2u);
}

TEST(EngineObjective, LeavesOutTheLateAndTheUnanswered) {
  const auto model = fake_adding(1);
  PipelineSpec spec = single(model);
  spec.objective = 1;  // ns
  EngineHarness harness(std::move(spec));
  infer_each(harness, 2);
  model->script().gate.close();
  const std::uint32_t cancelled = harness.submit({1});
  EXPECT_TRUE(harness.engine().cancel(cancelled));
  model->script().gate.open();
  const EngineStats stats = harness.engine().stats();
  EXPECT_EQ(stats.outcomes[std::size_t(Outcome::kCompleted)], 2u);
  EXPECT_EQ(stats.within_objective, 0u);
}

TEST(EngineHistograms, HaveWhatTheStatisticsHave) {
  EngineHarness harness(cascade(fake_adding(1), fake_adding(100)));
  harness.infer({0, 1, 0});
  harness.infer({1});
  const HistogramBounds bounds{{1e15}, {1, 1e15}, {0, 1, 2, 3, 8}};
  ASSERT_TRUE(harness.drained());
  const EngineHistograms histograms = harness.engine().histograms(bounds);
  const EngineStats stats = harness.engine().stats();
  EXPECT_EQ(histograms.latency_ns.count, 2u);
  EXPECT_GT(histograms.latency_ns.sum, 0);
  ASSERT_EQ(histograms.stages.size(), 2u);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(histograms.stages[i].queue_ns.count, stats.stages[i].queue_ns.count) << i;
    EXPECT_EQ(histograms.stages[i].service_ns.count, stats.stages[i].batches) << i;
    EXPECT_EQ(histograms.stages[i].service_ns.up_to.size(), 2u) << i;
    EXPECT_EQ(histograms.stages[i].batch_rows.sum, static_cast<double>(stats.stages[i].rows)) << i;
    EXPECT_EQ(histograms.stages[i].batch_rows.up_to.back(), stats.stages[i].batches) << i;
    EXPECT_EQ(histograms.stages[i].batch_rows.up_to.front(), 0u) << i;
  }
}

TEST(EngineHistograms, NeverFallWhenReplicasLeave) {
  EngineHarness harness(single(fake_adding(1)));
  ASSERT_TRUE(harness.engine().scale(0, 3).ok());
  infer_each(harness, 20);
  ASSERT_TRUE(harness.engine().scale(0, 0).ok());
  const HistogramBounds bounds{{1e15}, {1e15}, {8}};
  EXPECT_EQ(harness.engine().histograms(bounds).stages[0].batch_rows.count, 20u);
  ASSERT_TRUE(harness.engine().scale(0, 1).ok());
  infer_each(harness, 1);
  ASSERT_TRUE(harness.drained());
  EXPECT_EQ(harness.engine().histograms(bounds).stages[0].batch_rows.count, 21u);
}

}  // namespace
}  // namespace millrace
