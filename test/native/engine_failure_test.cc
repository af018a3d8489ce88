// The engine fails what must fail, and nothing else.
#include "engine_harness.h"

namespace millrace {
namespace {

using Refusal = SubmitResult::Refusal;

TEST(EngineFailure, NamesTheStageAndTheReason) {
  EngineHarness harness(cascade(fake_adding(1), fake_adding(100)));
  const Answer answer = harness.infer({kPoison});
  EXPECT_EQ(answer.outcome, Outcome::kFailed);
  EXPECT_EQ(answer.failed_stage, 0u);
  EXPECT_EQ(answer.message, "a row is poisoned");
}

TEST(EngineFailure, InALaterStageFailsTheRequest) {
  // The second stage is given 0.25 less, which makes poison of it.
  const auto second = fake_adding(100);
  EngineHarness harness(pipeline_of({stage_of("a", fake_adding(-0.25f), {{from_request()}}),
                                     stage_of("b", second, {{from_stage(0)}})},
                                    {from_stage(1)}));
  const Answer answer = harness.infer({kPoison + 0.25f});
  EXPECT_EQ(answer.outcome, Outcome::kFailed);
  EXPECT_EQ(answer.failed_stage, 1u);
}

TEST(EngineFailure, OfOneRowFailsItsWholeRequestOnce) {
  EngineHarness harness(single(fake()));
  EXPECT_EQ(harness.infer({1, kPoison, 3, kPoison}).outcome, Outcome::kFailed);
  EXPECT_TRUE(harness.drained());
  EXPECT_EQ(harness.collect(), 0u);
  EXPECT_TRUE(adds(harness.infer({1}), {1}, 1)) << "the next request is served";
}

TEST(EngineFailure, OfOneBranchFailsTheRequestAndItsJoinNeverRuns) {
  const DiamondModels models;
  EngineHarness harness(diamond(models));
  models.b->script().extra_rows = 1;
  const Answer answer = harness.infer({1});
  EXPECT_EQ(answer.outcome, Outcome::kFailed);
  EXPECT_EQ(answer.failed_stage, 1u);
  EXPECT_TRUE(harness.drained());
  EXPECT_EQ(models.d->script().runs, 0);
}

// Requests of one row each, piled up to one batch, of which those in `guilty` are poisoned.
void expect_only_the_guilty_fail(const std::vector<std::size_t>& guilty) {
  constexpr std::size_t kRows = 8;
  const auto model = fake();
  EngineHarness harness(single(model));
  model->script().gate.close();
  const std::uint32_t plug = harness.submit({100});
  ASSERT_TRUE(eventually([&] { return model->script().runs == 1; }));
  const auto is_guilty = [&](std::size_t i) {
    return std::find(guilty.begin(), guilty.end(), i) != guilty.end();
  };
  std::vector<std::uint32_t> indices;
  for (std::size_t i = 0; i < kRows; ++i) {
    indices.push_back(harness.submit({is_guilty(i) ? kPoison : static_cast<float>(i)}));
  }
  model->script().gate.open();
  harness.answer(plug);
  for (std::size_t i = 0; i < kRows; ++i) {
    const Answer answer = harness.answer(indices[i]);
    if (is_guilty(i)) {
      EXPECT_EQ(answer.outcome, Outcome::kFailed) << i;
    } else {
      EXPECT_TRUE(adds(answer, {static_cast<float>(i)}, 1)) << i;
    }
  }
  const StageStats stage = harness.stage();
  EXPECT_EQ(stage.failed, guilty.size());
  EXPECT_EQ(stage.rows, 1 + kRows - guilty.size());
  EXPECT_EQ(model->script().batches()[1].firsts.size(), kRows) << "they went in one batch";
  if (guilty.size() == 1) {
    EXPECT_EQ(stage.retries, 3u) << "halves, quarters, rows";
  }
}

TEST(EnginePoison, FailsOnlyTheGuiltyRowInEachPositionOfABatch) {
  for (std::size_t i = 0; i < 8; ++i) expect_only_the_guilty_fail({i});
}

TEST(EnginePoison, FailsEachGuiltyRowOfSeveral) {
  expect_only_the_guilty_fail({0, 7});
  expect_only_the_guilty_fail({3, 4});
  expect_only_the_guilty_fail({0, 1, 2, 3, 4, 5, 6, 7});
}

TEST(EngineOutput, FailsWhereItHasFewerOrMoreRowsThanTheBatch) {
  for (const int extra : {-1, 1}) {
    const auto model = fake();
    model->script().extra_rows = extra;
    EngineHarness harness(single(model));
    const Answer answer = harness.infer({1, 2, 3});
    EXPECT_EQ(answer.outcome, Outcome::kFailed);
    EXPECT_NE(answer.message.find("one row for each row"), std::string::npos) << answer.message;
    EXPECT_NE(answer.message.find("'y'"), std::string::npos) << answer.message;
    model->script().extra_rows = 0;
    EXPECT_TRUE(adds(harness.infer({1, 2, 3}), {1, 2, 3}, 1)) << "it recovers";
  }
}

TEST(EngineOutput, FailsWhereItHasAnotherShapeThanDeclared) {
  // Declared as an open input, so that it takes rows of 3, but y as rows of 4.
  FakeOptions options;
  options.width = -1;
  const auto real = fake(options);
  struct Liar final : Model {
    explicit Liar(std::shared_ptr<FakeModel> model) : honest(std::move(model)) {
      claims = honest->outputs();
      claims[0].dims = {-1, 4};
    }
    const std::vector<TensorSpec>& inputs() const override { return honest->inputs(); }
    const std::vector<TensorSpec>& outputs() const override { return claims; }
    Result<std::unique_ptr<Runner>> make_runner(const RunnerOptions& asked) override {
      return honest->make_runner(asked);
    }
    std::shared_ptr<FakeModel> honest;
    std::vector<TensorSpec> claims;
  };
  PipelineSpec spec = single(real);
  spec.inputs[0].dims = {-1, -1};
  spec.stages[0].model = std::make_shared<Liar>(real);
  EngineHarness harness(spec);
  EXPECT_EQ(harness.answer(harness.submit_open({1, 2, 3}, {3})).outcome, Outcome::kFailed);
  EXPECT_EQ(harness.answer(harness.submit_open({1, 2, 3, 4}, {4})).outcome, Outcome::kCompleted);
}

TEST(EngineAdmission, RefusesWhatDoesNotFitAndRecovers) {
  const auto model = fake();
  PipelineSpec spec = single(model);
  spec.max_pending_rows = 4;
  EngineHarness harness(spec);
  model->script().gate.close();
  const std::uint32_t first = harness.submit({1, 2, 3});
  EXPECT_EQ(harness.try_submit({4, 5}).refusal, Refusal::kQueueFull);
  const std::uint32_t last = harness.submit({4});
  EXPECT_EQ(harness.try_submit({5}).refusal, Refusal::kQueueFull);
  EXPECT_EQ(harness.engine().stats().pending_rows, 4u);
  model->script().gate.open();
  EXPECT_TRUE(adds(harness.answer(first), {1, 2, 3}, 1));
  EXPECT_TRUE(adds(harness.answer(last), {4}, 1));
  EXPECT_TRUE(adds(harness.infer({1, 2, 3, 4}), {1, 2, 3, 4}, 1));
  EXPECT_EQ(model->script().seen(5), 0);
}

TEST(EngineAdmission, RefusesARequestOfMoreRowsThanItEverAdmits) {
  PipelineSpec spec = single(fake());
  spec.max_pending_rows = 2;
  EngineHarness harness(spec);
  EXPECT_EQ(harness.try_submit({1, 2, 3}).refusal, Refusal::kQueueFull);
  EXPECT_TRUE(adds(harness.infer({1, 2}), {1, 2}, 1));
}

TEST(EngineAdmission, CountsCancelledRowsUntilTheQueueLetsGoOfThem) {
  const auto model = fake();
  PipelineSpec spec = single(model);
  spec.max_pending_rows = 2;
  EngineHarness harness(spec);
  model->script().gate.close();
  const std::uint32_t running = harness.submit({1});
  EXPECT_TRUE(eventually([&] { return model->script().running == 1; }));
  EXPECT_TRUE(harness.engine().cancel(harness.submit({2})));
  EXPECT_EQ(harness.try_submit({3}).refusal, Refusal::kQueueFull);
  model->script().gate.open();
  harness.answer(running);
  EXPECT_TRUE(harness.drained());
  EXPECT_TRUE(adds(harness.infer({3}), {3}, 1));
}

// Slots are handed out again in order, so a batch that never ends stops its ring after a lap.
class EngineHeldUpTest : public testing::Test {
 protected:
  EngineHeldUpTest() {
    model_->script().gate.close();
    stuck_ = harness_.submit({1});
    EXPECT_TRUE(eventually([&] { return model_->script().running == 1; }));
  }

  // Rows that are cancelled while they wait, and cleared by a second replica for a moment.
  void pass(int rows) {
    for (int i = 0; i < rows; ++i) {
      EXPECT_TRUE(harness_.engine().cancel(harness_.submit({2})));
      ASSERT_TRUE(harness_.engine().scale(0, 2).ok());
      EXPECT_TRUE(eventually([&] { return harness_.engine().stats().pending_rows == 1; }));
      ASSERT_TRUE(harness_.engine().scale(0, 1).ok());
    }
  }

  static PipelineSpec spec(const std::shared_ptr<FakeModel>& model) {
    PipelineSpec spec = single(model);
    spec.max_pending_rows = 2;  // a ring of 4 for each class
    spec.stages[0].max_batch = 1;
    return spec;
  }

  const std::shared_ptr<FakeModel> model_ = fake();
  EngineHarness harness_{spec(model_)};
  std::uint32_t stuck_ = 0;
};

using EngineHeldUp = EngineHeldUpTest;

TEST_F(EngineHeldUp, BorrowsSlotsOfOtherClasses) {
  pass(3);
  const std::uint32_t borrows = harness_.submit({3});
  EXPECT_FALSE(harness_.answered(borrows));
  model_->script().gate.open();
  EXPECT_TRUE(adds(harness_.answer(stuck_), {1}, 1));
  EXPECT_TRUE(adds(harness_.answer(borrows), {3}, 1));
}

TEST_F(EngineHeldUp, IsNoConcernOfRequestsThatFindTheirOwnSlots) {
  pass(7);
  SubmitOptions high;
  high.priority = 0;
  const std::uint32_t index = harness_.submit({3}, high);
  model_->script().gate.open();
  EXPECT_TRUE(adds(harness_.answer(index), {3}, 1));
}

TEST_F(EngineHeldUp, ServesARingAgainOnceTheBatchHasEnded) {
  pass(3);
  model_->script().gate.open();
  EXPECT_TRUE(adds(harness_.answer(stuck_), {1}, 1));
  for (float n = 0; n < 20; ++n) EXPECT_TRUE(adds(harness_.infer({n}), {n}, 1));
}

TEST(EngineSlots, RunOutOnlyWhenBatchesHoldUpEveryClass) {
  const auto model = fake();
  PipelineSpec spec = single(model);
  spec.max_pending_rows = 4;  // a ring of 8 for each class
  spec.stages[0].max_batch = 1;
  spec.stages[0].replicas = kPriorityClasses;
  EngineHarness harness(spec);
  model->script().gate.close();
  std::vector<std::uint32_t> stuck;
  for (std::uint8_t priority = 0; priority < kPriorityClasses; ++priority) {
    SubmitOptions options;
    options.priority = priority;
    stuck.push_back(harness.submit({1}, options));
    ASSERT_TRUE(eventually([&] { return model->script().running == priority + 1; }));
  }
  for (int i = 0; i < 3 * 7; ++i) {
    ASSERT_TRUE(harness.engine().cancel(harness.submit({2})));
    ASSERT_TRUE(harness.engine().scale(0, kPriorityClasses + 1).ok());
    ASSERT_TRUE(eventually([&] { return harness.engine().stats().pending_rows == 3; }));
    ASSERT_TRUE(harness.engine().scale(0, kPriorityClasses).ok());
  }
  const Answer full = harness.infer({3});
  EXPECT_EQ(full.outcome, Outcome::kQueueFull);
  EXPECT_NE(full.message.find("'a'"), std::string::npos) << full.message;
  model->script().gate.open();
  for (const std::uint32_t index : stuck) EXPECT_TRUE(adds(harness.answer(index), {1}, 1));
  EXPECT_TRUE(adds(harness.infer({4}), {4}, 1));
}

}  // namespace
}  // namespace millrace
