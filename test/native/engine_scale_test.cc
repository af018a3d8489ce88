// The engine changes its replicas while it serves, and ends without leaving anybody waiting.
#include <array>
#include <numeric>

#include "engine_harness.h"

namespace millrace {
namespace {

using Refusal = SubmitResult::Refusal;

TEST(EngineScale, RunsAsManyBatchesAtOnceAsItHasReplicas) {
  const auto model = fake();
  PipelineSpec spec = single(model);
  spec.stages[0].max_batch = 1;
  spec.stages[0].replicas = 3;
  EngineHarness harness(spec);
  model->script().gate.close();
  const std::uint32_t index = harness.submit({1, 2, 3, 4, 5});
  EXPECT_TRUE(eventually([&] { return model->script().running == 3; }));
  model->script().gate.open();
  EXPECT_TRUE(adds(harness.answer(index), {1, 2, 3, 4, 5}, 1));
  EXPECT_EQ(model->script().most_running, 3);
}

TEST(EngineScale, AddsReplicasThatServeAtOnce) {
  const auto model = fake();
  PipelineSpec spec = single(model);
  spec.stages[0].max_batch = 1;
  EngineHarness harness(spec);
  model->script().gate.close();
  const std::uint32_t index = harness.submit({1, 2, 3, 4});
  EXPECT_TRUE(eventually([&] { return model->script().running == 1; }));
  EXPECT_TRUE(harness.engine().scale(0, 4).ok());
  EXPECT_TRUE(eventually([&] { return model->script().running == 4; }));
  EXPECT_EQ(harness.stage().replicas, 4u);
  model->script().gate.open();
  EXPECT_TRUE(adds(harness.answer(index), {1, 2, 3, 4}, 1));
}

TEST(EngineScale, RemovesReplicasAfterTheirBatch) {
  const auto model = fake();
  PipelineSpec spec = single(model);
  spec.stages[0].replicas = 2;
  spec.stages[0].max_batch = 1;
  EngineHarness harness(spec);
  model->script().gate.close();
  const std::uint32_t index = harness.submit({1, 2});
  EXPECT_TRUE(eventually([&] { return model->script().running == 2; }));
  std::thread control([&] { EXPECT_TRUE(harness.engine().scale(0, 1).ok()); });
  EXPECT_TRUE(eventually([&] { return harness.stage().replicas == 1; })) << "it counts at once";
  EXPECT_EQ(model->script().runners, 2) << "but ends its batch";
  model->script().gate.open();
  control.join();
  EXPECT_EQ(model->script().runners, 1);
  EXPECT_TRUE(adds(harness.answer(index), {1, 2}, 1));
}

TEST(EngineScale, ToNoneKeepsRequestsWaitingForTheNextReplica) {
  const auto model = fake();
  EngineHarness harness(single(model));
  EXPECT_TRUE(harness.engine().scale(0, 0).ok());
  EXPECT_EQ(model->script().runners, 0);
  const std::uint32_t index = harness.submit({1, 2});
  EXPECT_EQ(harness.stage().waiting, 2u);
  EXPECT_TRUE(harness.engine().scale(0, 1).ok());
  EXPECT_TRUE(adds(harness.answer(index), {1, 2}, 1));
}

TEST(EngineScale, LosesNothingUnderLoad) {
  const auto model = fake();
  PipelineSpec spec = single(model);
  spec.stages[0].max_batch = 2;
  EngineHarness harness(spec);
  std::atomic<bool> done{false};
  std::thread control([&] {
    for (std::size_t i = 0; !done; ++i) {
      constexpr std::array<std::size_t, 6> kReplicas{3, 1, 0, 2, 0, 4};
      EXPECT_TRUE(harness.engine().scale(0, kReplicas[i % kReplicas.size()]).ok());
    }
  });
  for (int round = 0; round < 300; ++round) {
    const float first = static_cast<float>(round);
    EXPECT_TRUE(adds(harness.infer({first, 1, 2}), {first, 1, 2}, 1));
  }
  done = true;
  control.join();
  EXPECT_EQ(harness.stage().rows, 900u) << "statistics outlive the replicas";
}

TEST(EngineScale, ReportsAReplicaThatCannotBeMadeAndKeepsThoseThatCould) {
  const auto model = fake();
  EngineHarness harness(single(model));
  model->script().runners_left = 2;
  const Status status = harness.engine().scale(0, 5);
  EXPECT_FALSE(status.ok());
  EXPECT_EQ(status.error().message, "no runner left");
  EXPECT_EQ(harness.stage().replicas, 3u);
  EXPECT_TRUE(adds(harness.infer({1}), {1}, 1));
}

TEST(EngineScale, FailsToStartWhereAReplicaCannotBeMade) {
  const auto model = fake();
  model->script().runners_left = 1;
  PipelineSpec spec = single(model);
  spec.stages[0].replicas = 2;
  const SteadyClock clock;
  const auto engine = Engine::create(spec, clock, [] {});
  EXPECT_FALSE(engine.ok());
  EXPECT_EQ(engine.error().code, ErrorCode::kModelLoad);
  EXPECT_EQ(model->script().runners, 0) << "the one that was made is gone";
}

TEST(EngineStop, LetsBatchesInProgressEnd) {
  const auto model = fake();
  EngineHarness harness(single(model));
  model->script().gate.close();
  const std::uint32_t running = harness.submit({1});
  ASSERT_TRUE(eventually([&] { return model->script().running == 1; }));
  const std::uint32_t waiting = harness.submit({2});
  std::thread control([&] { harness.engine().stop(false); });
  EXPECT_TRUE(eventually([&] { return harness.stage().replicas == 0; }));
  model->script().gate.open();
  control.join();
  harness.engine().abandon();
  EXPECT_TRUE(adds(harness.answer(running), {1}, 1));
  EXPECT_EQ(harness.answer(waiting).outcome, Outcome::kClosed);
  EXPECT_EQ(model->script().seen(2), 0);
}

TEST(EngineStop, EndsBatchesInProgressWhereToldToTerminate) {
  const auto model = fake();
  EngineHarness harness(single(model));
  model->script().gate.close();
  const std::uint32_t running = harness.submit({1, 2});
  ASSERT_TRUE(eventually([&] { return model->script().running > 0; }));
  harness.engine().stop(true);
  harness.engine().abandon();
  EXPECT_EQ(harness.answer(running).outcome, Outcome::kClosed);
  EXPECT_EQ(model->script().runners, 0);
}

TEST(EngineStop, MayTerminateWhatAnotherStopWaitsFor) {
  const auto model = fake();
  EngineHarness harness(single(model));
  model->script().gate.close();
  const std::uint32_t running = harness.submit({1});
  ASSERT_TRUE(eventually([&] { return model->script().running == 1; }));
  std::thread patient([&] { harness.engine().stop(false); });
  EXPECT_TRUE(eventually([&] { return harness.stage().replicas == 0; }));
  harness.engine().stop(true);
  patient.join();
  EXPECT_EQ(harness.answer(running).outcome, Outcome::kClosed);
}

// Makes each replica as slowly as a model loads, and is asked for many.
TEST(EngineStop, EndsAScaleInProgressAtItsNextReplica) {
  struct Slow final : Model {
    explicit Slow(std::shared_ptr<FakeModel> model) : fast(std::move(model)) {}
    const std::vector<TensorSpec>& inputs() const override { return fast->inputs(); }
    const std::vector<TensorSpec>& outputs() const override { return fast->outputs(); }
    Result<std::unique_ptr<Runner>> make_runner(const RunnerOptions& options) override {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
      return fast->make_runner(options);
    }
    std::shared_ptr<FakeModel> fast;
  };
  const auto model = fake();
  PipelineSpec spec = single(model);
  spec.stages[0].model = std::make_shared<Slow>(model);
  EngineHarness harness(spec);
  Status status;
  std::thread control([&] { status = harness.engine().scale(0, 1'000); });
  ASSERT_TRUE(eventually([&] { return harness.stage().replicas >= 2; }));
  harness.engine().stop(true);
  control.join();
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kClosed);
  EXPECT_EQ(harness.stage().replicas, 0u);
  EXPECT_EQ(model->script().runners, 0);
}

TEST(EngineStop, RefusesToScaleAfterwards) {
  EngineHarness harness(single(fake()));
  harness.engine().stop(false);
  harness.engine().stop(true);
  EXPECT_EQ(harness.engine().scale(0, 1).error().code, ErrorCode::kClosed);
}

TEST(EngineClose, RefusesWhatIsSubmittedAfterRefuse) {
  const auto model = fake();
  EngineHarness harness(single(model));
  model->script().gate.close();
  const std::uint32_t before = harness.submit({1});
  harness.engine().refuse();
  EXPECT_EQ(harness.try_submit({2}).refusal, Refusal::kClosed);
  model->script().gate.open();
  EXPECT_TRUE(adds(harness.answer(before), {1}, 1)) << "what was accepted is served";
}

TEST(EngineClose, RefusesWhatIsSubmittedAfterAbandon) {
  EngineHarness harness(single(fake()));
  harness.engine().stop(false);
  harness.engine().abandon();
  EXPECT_EQ(harness.try_submit({1}).refusal, Refusal::kClosed);
}

TEST(EngineClose, SettlesEverythingThatIsLeft) {
  const auto model = fake();
  EngineHarness harness(diamond(DiamondModels{}));
  ASSERT_TRUE(harness.engine().scale(1, 0).ok());  // the join waits for ever
  std::vector<std::uint32_t> indices;
  for (float n = 0; n < 20; ++n) indices.push_back(harness.submit({n, n}));
  EXPECT_TRUE(eventually([&] { return harness.stage(1).waiting == 40; }));
  EXPECT_TRUE(harness.engine().cancel(indices.back()));
  indices.pop_back();
  harness.engine().stop(false);
  harness.engine().abandon();
  for (const std::uint32_t index : indices) {
    EXPECT_EQ(harness.answer(index).outcome, Outcome::kClosed);
  }
  EXPECT_EQ(harness.engine().pending(), 0u);
  harness.engine().abandon();
  EXPECT_EQ(harness.collect(), 0u) << "once";
}

TEST(EngineClose, FreesAnEngineWithWorkInFlight) {
  const auto model = fake();
  EngineHarness harness(single(model));
  model->script().gate.close();
  harness.submit({1});
  ASSERT_TRUE(eventually([&] { return model->script().running == 1; }));
  harness.submit({2, 3});
  EXPECT_TRUE(harness.engine().cancel(harness.submit({4})));
  harness.destroy();
  EXPECT_EQ(model->script().runners, 0);
}

TEST(EngineClose, FreesAnEngineWhoseAnswersNobodyCollected) {
  EngineHarness harness(single(fake()));
  for (float n = 0; n < 10; ++n) harness.submit({n});
  EXPECT_TRUE(harness.drained());
  harness.destroy();
}

TEST(EngineStatistics, AddUp) {
  const auto model = fake();
  PipelineSpec spec = single(model);
  spec.max_pending_rows = 8;
  EngineHarness harness(spec);
  model->script().gate.close();
  SubmitOptions soon;
  soon.deadline = harness.in(200 * kMs);
  std::vector<std::uint32_t> indices{harness.submit({1})};  // completes
  ASSERT_TRUE(eventually([&] { return model->script().running == 1; }));
  indices.push_back(harness.submit({kPoison}));     // fails
  indices.push_back(harness.submit({3, 4}, soon));  // expires
  EXPECT_TRUE(harness.engine().cancel(harness.submit({5})));
  EXPECT_EQ(harness.try_submit({6, 7, 8, 9}).refusal, Refusal::kQueueFull);
  SubmitOptions past;
  past.deadline = harness.in(-kMs);
  EXPECT_EQ(harness.try_submit({6}, past).refusal, Refusal::kDeadlinePassed);
  EXPECT_EQ(harness.engine().stats().pending_requests, 3u);
  harness.expires = true;
  EXPECT_EQ(harness.answer(indices[2]).outcome, Outcome::kDeadlineExceeded);
  model->script().gate.open();
  harness.answer(indices[0]);
  harness.answer(indices[1]);
  EXPECT_TRUE(harness.drained());
  harness.engine().refuse();
  EXPECT_EQ(harness.try_submit({6}).refusal, Refusal::kClosed);

  const EngineStats stats = harness.engine().stats();
  const auto count = [&](Outcome outcome) {
    return stats.outcomes[static_cast<std::size_t>(outcome)];
  };
  EXPECT_EQ(count(Outcome::kPending), 0u);
  EXPECT_EQ(count(Outcome::kCompleted), 1u);
  EXPECT_EQ(count(Outcome::kFailed), 1u);
  EXPECT_EQ(count(Outcome::kCancelled), 1u);
  EXPECT_EQ(count(Outcome::kDeadlineExceeded), 2u) << "one expired, one was refused";
  EXPECT_EQ(count(Outcome::kQueueFull), 1u);
  EXPECT_EQ(count(Outcome::kClosed), 1u);
  EXPECT_EQ(std::accumulate(stats.outcomes.begin(), stats.outcomes.end(), std::uint64_t{0}), 7u)
      << "every submit ends in one outcome";
  EXPECT_EQ(stats.pending_requests, 0u);
  EXPECT_EQ(stats.latency_ns.count, 1u);

  const StageStats& stage = stats.stages[0];
  EXPECT_EQ(stage.name, "a");
  EXPECT_EQ(stage.rows + stage.failed + stage.skipped + stage.shed, 5u) << "every accepted row";
  EXPECT_EQ(stage.rows, 1u);
  EXPECT_EQ(stage.skipped, 3u);
  EXPECT_EQ(stage.batches, 2u);
  EXPECT_EQ(stage.queue_ns.count, 2u) << "of rows that ran";
  EXPECT_EQ(stage.service_ns.count, 2u);
  EXPECT_EQ(stage.batch_rows.max, 1);
  EXPECT_GT(stage.busy_ns, 0u);
}

TEST(EngineStatistics, MayBeReadByAnyThreadWhileItServes) {
  EngineHarness harness(cascade(fake_adding(1), fake_adding(100)));
  std::atomic<bool> done{false};
  std::thread reader([&] {
    std::uint64_t last = 0;
    while (!done) {
      const EngineStats stats = harness.engine().stats();
      EXPECT_GE(stats.stages[0].rows, last);
      // Not 1: the counts are not of one instant, and this thread may stand still between them.
      EXPECT_LE(stats.pending_requests, 200u) << "and never below 0";
      EXPECT_LE(stats.pending_rows, 200u);
      last = stats.stages[0].rows;
    }
  });
  for (int i = 0; i < 200; ++i) EXPECT_TRUE(adds(harness.infer({0.9f}), {0.9f}, 1));
  done = true;
  reader.join();
  EXPECT_EQ(harness.stage(0).rows, 200u);
  EXPECT_EQ(harness.stage(1).rows, 0u);
}

}  // namespace
}  // namespace millrace
