// The engine replaces models, batch sizes and delays while it serves: whole or not at all, and
// without anybody noticing but by the answers.
#include <array>

#include "engine_harness.h"

namespace millrace {
namespace {

using Models = std::vector<std::shared_ptr<FakeModel>>;

StageChange model_of(std::shared_ptr<Model> model, std::size_t stage = 0) {
  return {stage, std::move(model), {}, {}, {}};
}

Status change(EngineHarness& harness, const StageChange& one) {
  return harness.engine().reconfigure({&one, 1});
}

TEST(EngineSwap, ServesTheNewModelAndLetsGoOfTheOld) {
  auto old = fake_adding(1);
  const std::weak_ptr<FakeModel> watched = old;
  EngineHarness harness(single(old));
  old = nullptr;
  EXPECT_TRUE(adds(harness.infer({1}), {1}, 1));
  EXPECT_TRUE(change(harness, model_of(fake_adding(100))).ok());
  EXPECT_TRUE(watched.expired());
  EXPECT_TRUE(adds(harness.infer({1}), {1}, 100));
  EXPECT_EQ(harness.stage().rows, 2u) << "statistics go on";
  EXPECT_EQ(harness.stage().replicas, 1u);
}

TEST(EngineSwap, LetsABatchOfTheOldModelEndWhileTheNewOneServes) {
  const auto old = fake_adding(1);
  EngineHarness harness(single(old));
  old->script().gate.close();
  const std::uint32_t before = harness.submit({1});
  ASSERT_TRUE(eventually([&] { return old->script().running == 1; }));
  std::thread control([&] { EXPECT_TRUE(change(harness, model_of(fake_adding(100))).ok()); });
  ASSERT_TRUE(eventually([&] { return adds(harness.infer({2}), {2}, 100); }))
      << "the new model serves before the old one ended";
  EXPECT_FALSE(harness.answered(before));
  old->script().gate.open();
  control.join();
  EXPECT_TRUE(adds(harness.answer(before), {1}, 1));
  EXPECT_EQ(old->script().runners, 0);
}

TEST(EngineSwap, LosesNothingUnderLoad) {
  const Models models{fake_adding(0), fake_adding(100)};
  PipelineSpec spec = single(models[0]);
  spec.stages[0].max_batch = 2;
  spec.stages[0].replicas = 2;
  EngineHarness harness(spec);
  std::atomic<bool> done{false};
  std::atomic<int> swaps{0};
  std::thread control([&] {
    for (std::size_t i = 1; !done; ++i, ++swaps) {
      StageChange one = model_of(models[i % 2]);
      one.replicas = 1 + i % 3;
      EXPECT_TRUE(change(harness, one).ok());
    }
  });
  for (int round = 0; round < 300 || swaps < 20; ++round) {
    const Answer answer = harness.infer({1, 2, 3});
    ASSERT_EQ(answer.outcome, Outcome::kCompleted) << answer.message;
    for (std::size_t row = 0; row < 3; ++row) {
      const float added = answer.values[row * kWidth] - static_cast<float>(row + 1);
      EXPECT_TRUE(added == 0 || added == 100) << added;
    }
  }
  done = true;
  control.join();
}

TEST(EngineSwap, ChangesBatchSizesAndDelays) {
  const auto model = fake();
  EngineHarness harness(single(model));
  EXPECT_TRUE(change(harness, {0, nullptr, {}, 3, 50 * kMs}).ok());
  const auto before = std::chrono::steady_clock::now();
  EXPECT_TRUE(adds(harness.infer({1}), {1}, 1));
  EXPECT_GE(std::chrono::steady_clock::now() - before, std::chrono::milliseconds(40))
      << "it waits for a batch to fill";
  EXPECT_TRUE(change(harness, {0, nullptr, {}, {}, 0}).ok());
  harness.infer({1, 2, 3, 4, 5, 6, 7, 8});
  EXPECT_EQ(harness.stage().batch_rows.max, 3);
}

TEST(EngineSwap, NeverGivesAModelWithoutABatchMoreThanOneRow) {
  FakeOptions options;
  options.batched = false;
  const auto model = fake(options);
  PipelineSpec spec = single(model);
  spec.batched = false;
  spec.inputs[0].dims = {1, static_cast<std::int64_t>(kWidth)};
  spec.stages[0].batched = false;
  EngineHarness harness(spec);
  EXPECT_TRUE(change(harness, {0, nullptr, {}, 8, {}}).ok());
  model->script().gate.close();
  std::vector<std::uint32_t> indices;
  for (float n = 0; n < 4; ++n) indices.push_back(harness.submit({n}));
  model->script().gate.open();
  for (float n = 0; n < 4; ++n) {
    EXPECT_TRUE(adds(harness.answer(indices[static_cast<std::size_t>(n)]), {n}, 1));
  }
  EXPECT_EQ(harness.stage().batch_rows.max, 1);
}

TEST(EngineSwap, ToNoReplicasKeepsRequestsWaitingForTheNewModel) {
  EngineHarness harness(single(fake_adding(1)));
  StageChange none = model_of(fake_adding(100));
  none.replicas = 0;
  EXPECT_TRUE(change(harness, none).ok());
  const std::uint32_t index = harness.submit({1});
  EXPECT_TRUE(harness.engine().scale(0, 1).ok());
  EXPECT_TRUE(adds(harness.answer(index), {1}, 100));
}

TEST(EngineSwap, ChangesNothingWhereOneOfManyChangesFails) {
  const Models old{fake_adding(1), fake_adding(100)};
  EngineHarness harness(cascade(old[0], old[1]));
  const Models fresh{fake_adding(2), fake_adding(200)};
  fresh[1]->script().runners_left = 1;
  std::array<StageChange, 2> changes{model_of(fresh[0], 0), model_of(fresh[1], 1)};
  changes[1].replicas = 2;
  const Status status = harness.engine().reconfigure(changes);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().message, "no runner left");
  EXPECT_EQ(fresh[0]->script().runners + fresh[1]->script().runners, 0) << "nothing is left of it";
  EXPECT_EQ(harness.stage(1).replicas, 1u);
  EXPECT_TRUE(adds(harness.infer({0, 1}), {0, 1}, {100, 1}));
}

TEST(EngineSwap, GivesUpWhereTheEngineIsStopped) {
  const auto old = fake_adding(1);
  EngineHarness harness(single(old));
  old->script().gate.close();
  harness.submit({1});
  ASSERT_TRUE(eventually([&] { return old->script().running == 1; }));
  const auto fresh = fake_adding(100);
  Status status;
  std::thread control([&] { status = change(harness, model_of(fresh)); });
  ASSERT_TRUE(eventually([&] { return fresh->script().runners == 1; }));
  harness.engine().stop(true);
  control.join();
  EXPECT_EQ(old->script().runners + fresh->script().runners, 0);
  EXPECT_EQ(change(harness, model_of(fresh)).error().code, ErrorCode::kClosed);
}

TEST(EngineSwap, GivesUpAModelThatWarmsUpForEverWhereTheEngineIsStopped) {
  PipelineSpec spec = single(fake());
  spec.warm_up = true;
  EngineHarness harness(spec);
  const auto fresh = fake();
  fresh->script().warm_up = Model::WarmUp::kOnce;
  fresh->script().gate.close();
  Status status;
  std::thread control([&] { status = change(harness, model_of(fresh)); });
  ASSERT_TRUE(eventually([&] { return fresh->script().running == 1; }));
  harness.engine().stop(true);
  control.join();
  EXPECT_FALSE(status.ok());
  EXPECT_EQ(fresh->script().runners, 0);
}

std::vector<std::int64_t> warmed(FakeModel& model) {
  std::vector<std::int64_t> rows;
  for (const FakeBatch& batch : model.script().batches()) rows.push_back(batch.dims[0]);
  return rows;
}

using Rows = std::vector<std::int64_t>;

TEST(EngineWarmUp, RunsZerosUpToTheLargestBatchBeforeAReplicaServes) {
  const auto model = fake();
  model->script().warm_up = Model::WarmUp::kOnce;
  PipelineSpec spec = single(model);
  spec.warm_up = true;
  spec.stages[0].max_batch = 12;
  EngineHarness harness(spec);
  EXPECT_EQ(warmed(*model), (Rows{1, 2, 4, 8, 12}));
  EXPECT_EQ(model->script().seen(0), 27) << "all of them zeros";
  EXPECT_EQ(harness.stage().batches, 0u) << "no traffic, so not counted";
}

TEST(EngineWarmUp, RunsOneRowMoreForAReplicaOfAModelThatIsWarm) {
  const auto model = fake();
  model->script().warm_up = Model::WarmUp::kOnce;
  PipelineSpec spec = cascade(model, model);
  spec.warm_up = true;
  EngineHarness harness(spec);
  EXPECT_EQ(warmed(*model), (Rows{1, 2, 4, 8, 1})) << "stages share a model";
  EXPECT_TRUE(harness.engine().scale(0, 2).ok());
  EXPECT_EQ(warmed(*model), (Rows{1, 2, 4, 8, 1, 1}));
  EXPECT_TRUE(change(harness, {0, nullptr, 1, 16, {}}).ok());
  EXPECT_EQ(warmed(*model), (Rows{1, 2, 4, 8, 1, 1, 1, 16})) << "the larger batch is new";
}

TEST(EngineWarmUp, WarmsEveryReplicaOfAModelThatSharesNothing) {
  const auto model = fake();
  model->script().warm_up = Model::WarmUp::kEachRunner;
  PipelineSpec spec = single(model);
  spec.warm_up = true;
  spec.stages[0].max_batch = 2;
  spec.stages[0].replicas = 2;
  EngineHarness harness(spec);
  EXPECT_EQ(warmed(*model), (Rows{1, 2, 1, 2}));
}

TEST(EngineWarmUp, LeavesAModelAloneWhoseInputsCannotBeMadeUp) {
  FakeOptions open;
  open.width = -1;
  FakeOptions strings;
  strings.strings = true;
  for (const FakeOptions& options : {open, strings}) {
    const auto model = fake(options);
    model->script().warm_up = Model::WarmUp::kOnce;
    PipelineSpec spec = single(model);
    spec.warm_up = true;
    EngineHarness harness(spec);
    EXPECT_EQ(model->script().runs, 0);
  }
}

TEST(EngineWarmUp, DoesNotKeepAModelThatRefusesZerosFromServing) {
  const auto model = fake();
  model->script().warm_up = Model::WarmUp::kOnce;
  model->script().broken = true;
  PipelineSpec spec = single(model);
  spec.warm_up = true;
  EngineHarness harness(spec);
  EXPECT_EQ(model->script().runs, 1) << "it is tried once";
  EXPECT_TRUE(harness.engine().scale(0, 2).ok());
  EXPECT_EQ(model->script().runs, 1);
  const auto next = fake_adding(100);
  next->script().warm_up = Model::WarmUp::kOnce;
  next->script().broken = true;
  EXPECT_TRUE(change(harness, model_of(next)).ok()) << "zeros prove nothing here";
}

TEST(EngineWarmUp, KeepsTheOldModelWhereTheNewOneFailsOnWhatTheOldOneTook) {
  const auto model = fake_adding(1);
  model->script().warm_up = Model::WarmUp::kOnce;
  PipelineSpec spec = single(model);
  spec.warm_up = true;
  EngineHarness harness(spec);
  const auto broken = fake_adding(100);
  broken->script().warm_up = Model::WarmUp::kOnce;
  broken->script().broken = true;
  const Status status = change(harness, model_of(broken));
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().message, "it is broken");
  EXPECT_EQ(broken->script().runners, 0);
  EXPECT_TRUE(adds(harness.infer({1}), {1}, 1));
}

}  // namespace
}  // namespace millrace
