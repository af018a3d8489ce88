// The engine moves rows along the pipeline.
#include "engine_harness.h"

namespace millrace {
namespace {

TEST(EngineStage, RunsARow) {
  EngineHarness harness(single(fake()));
  EXPECT_TRUE(adds(harness.infer({3}), {3}, 1));
}

TEST(EngineStage, KeepsTheRowsOfARequestTogether) {
  EngineHarness harness(single(fake()));
  EXPECT_TRUE(adds(harness.infer({1, 2, 3, 4, 5}), {1, 2, 3, 4, 5}, 1));
}

TEST(EngineStage, SplitsARequestThatIsLargerThanABatch) {
  const auto model = fake();
  PipelineSpec spec = single(model);
  spec.stages[0].max_batch = 2;
  EngineHarness harness(spec);
  EXPECT_TRUE(adds(harness.infer({1, 2, 3, 4, 5}), {1, 2, 3, 4, 5}, 1));
  EXPECT_GE(model->script().runs, 3);
}

TEST(EngineStage, UsesRequestsAgainForOthersOfAnySize) {
  EngineHarness harness(single(fake()));
  for (const std::size_t rows : {1u, 7u, 200u, 1u, 3u}) {
    const std::vector<float> firsts(rows, static_cast<float>(rows));
    EXPECT_TRUE(adds(harness.infer(firsts), firsts, 1));
  }
}

TEST(EngineStage, CopiesTheInputsBeforeSubmitReturns) {
  const auto model = fake();
  model->script().gate.close();
  EngineHarness harness(single(model));
  const std::uint32_t index = harness.submit({3});  // whose rows are gone by now
  model->script().gate.open();
  EXPECT_TRUE(adds(harness.answer(index), {3}, 1));
}

TEST(EngineStage, WakesTheOwnerForAnAnswer) {
  EngineHarness harness(single(fake()));
  harness.submit({1});
  EXPECT_TRUE(eventually([&] { return harness.wake_ups == 1; }));
  EXPECT_EQ(harness.collect(), 1u);
  EXPECT_EQ(harness.collect(), 0u);
}

TEST(EngineStage, GivesAnUnbatchedModelOneRowAtATime) {
  FakeOptions options;
  options.batched = false;
  const auto model = fake(options);
  PipelineSpec spec = single(model);
  spec.batched = false;
  spec.inputs[0].dims = {1, kWidth};
  spec.stages[0].batched = false;
  EngineHarness harness(spec);
  const std::uint32_t first = harness.submit({1});
  const std::uint32_t second = harness.submit({2});
  EXPECT_TRUE(adds(harness.answer(first), {1}, 1));
  EXPECT_TRUE(adds(harness.answer(second), {2}, 1));
  EXPECT_EQ(model->script().runs, 2);
  EXPECT_EQ(model->script().batches()[0].dims, (std::vector<std::int64_t>{1, kWidth}));
}

TEST(EngineStage, CarriesStrings) {
  FakeOptions options;
  options.strings = true;
  options.width = 1;
  const auto model = fake(options);
  PipelineSpec spec = single(model);
  spec.inputs[0] = {"x", DataType::kString, {-1, 1}};
  EngineHarness harness(spec);
  const Answer answer = harness.answer(harness.submit_strings({"one", "two", ""}));
  EXPECT_EQ(answer.strings, (std::vector<std::string>{"one!", "two!", "!"}));
  EXPECT_EQ(answer.dims, (std::vector<std::int64_t>{3, 1}));
  EXPECT_EQ(harness.answer(harness.submit_strings({"again"})).strings,
            (std::vector<std::string>{"again!"}));
}

TEST(EngineStage, CarriesRowsOfNoElements) {
  FakeOptions options;
  options.width = -1;
  EngineHarness harness([&] {
    PipelineSpec spec = single(fake(options));
    spec.inputs[0].dims = {-1, -1};
    return spec;
  }());
  const Answer answer = harness.answer(harness.submit_open({}, {0}));
  EXPECT_EQ(answer.outcome, Outcome::kCompleted);
  EXPECT_EQ(answer.dims, (std::vector<std::int64_t>{1, 0}));
}

TEST(EngineCascade, RunsTheSecondStageWhereTheConditionHolds) {
  const auto accurate = fake_adding(100);
  EngineHarness harness(cascade(fake_adding(1), accurate));
  EXPECT_TRUE(adds(harness.infer({0.2f}), {0.2f}, 100));
  EXPECT_EQ(accurate->script().runs, 1);
}

TEST(EngineCascade, SkipsTheSecondStageWhereItDoesNot) {
  const auto accurate = fake_adding(100);
  EngineHarness harness(cascade(fake_adding(1), accurate));
  EXPECT_TRUE(adds(harness.infer({0.9f}), {0.9f}, 1));
  EXPECT_EQ(accurate->script().runs, 0);
}

TEST(EngineCascade, DecidesForEachRowOfARequest) {
  const auto accurate = fake_adding(100);
  EngineHarness harness(cascade(fake_adding(1), accurate));
  const std::vector<float> firsts{0.9f, 0.1f, 0.8f, 0.2f, 0.3f};
  EXPECT_TRUE(adds(harness.infer(firsts), firsts, {1, 100, 1, 100, 100}));
  EXPECT_EQ(accurate->script().seen(0.1f), 1);
  EXPECT_EQ(accurate->script().seen(0.9f), 0);
}

// a -> b where a.score is below 0.5 -> c
PipelineSpec conditional_chain(const std::vector<std::shared_ptr<FakeModel>>& models,
                               std::vector<Source> output) {
  PipelineSpec spec = pipeline_of(
      {stage_of("a", models[0], {{from_request()}}), stage_of("b", models[1], {{from_stage(0)}}),
       stage_of("c", models[2], {{from_stage(1)}})},
      std::move(output));
  spec.stages[1].condition = Condition{from_stage(0, FakeModel::kScore), 0.5, {}, {}};
  return spec;
}

TEST(EngineSkip, PassesOnToStagesThatNeedWhatWasSkipped) {
  const std::vector models{fake_adding(1), fake_adding(10), fake_adding(100)};
  EngineHarness harness(conditional_chain(models, {from_stage(2), from_stage(0)}));
  EXPECT_TRUE(adds(harness.infer({0.9f, 0.1f}), {0.9f, 0.1f}, {1, 111}));
  EXPECT_EQ(models[1]->script().seen(1.9f), 0);
  EXPECT_EQ(models[2]->script().runs, 1);
}

TEST(EngineSkip, FillsAnOutputWhereNoCandidateRan) {
  const std::vector models{fake_adding(1), fake_adding(10), fake_adding(100)};
  EngineHarness harness(conditional_chain(models, {from_stage(2)}));
  const Answer answer = harness.infer({0.9f, 0.1f});
  ASSERT_EQ(answer.values.size(), 2 * kWidth);
  EXPECT_EQ(answer.values[0], -1);
  EXPECT_EQ(answer.values[kWidth - 1], -1);
  EXPECT_NEAR(answer.values[kWidth], 111.1f, 0.01);
}

TEST(EngineSkip, HasNoOpenOutputToGiveWhereNothingRan) {
  FakeOptions open;
  open.open_outputs = true;
  const std::vector models{fake_adding(1), fake_adding(10), fake(open)};
  EngineHarness harness(conditional_chain(models, {from_stage(2)}));
  const Answer answer = harness.infer({0.9f});
  EXPECT_EQ(answer.outcome, Outcome::kCompleted);
  EXPECT_TRUE(answer.dims.empty()) << "it has no shape";
  EXPECT_EQ(harness.infer({0.1f}).dims, (std::vector<std::int64_t>{1, kWidth}));
}

TEST(EngineDiamond, JoinsBothBranches) {
  const DiamondModels models;
  EngineHarness harness(diamond(models));
  const Answer answer = harness.infer({1, 2, 3});
  const std::vector<float> x = rows_of({1, 2, 3});
  ASSERT_EQ(answer.values.size(), x.size());
  for (std::size_t i = 0; i < x.size(); ++i) EXPECT_NEAR(answer.values[i], 2 * x[i] + 1112, 0.01);
  EXPECT_EQ(models.d->script().seen(1 + 1 + 10), 1) << "the join runs once a row";
}

TEST(EngineDiamond, WaitsForTheSlowerBranch) {
  const DiamondModels models;
  models.c->script().gate.close();
  EngineHarness harness(diamond(models));
  const std::uint32_t index = harness.submit({1});
  ASSERT_TRUE(eventually([&] { return models.b->script().runs == 1; }));
  EXPECT_EQ(models.d->script().runs, 0);
  EXPECT_FALSE(harness.answered(index));
  models.c->script().gate.open();
  EXPECT_NEAR(harness.answer(index).values[0], 2 + 1112, 0.01);
}

TEST(EngineDiamond, JoinsTheFirstCandidateThatRanOfEachInput) {
  // b runs below 0.5 only; d reads b, or else a, and the request.
  const std::vector models{fake_adding(1), fake_adding(10), fake_adding(100, 2)};
  PipelineSpec spec = conditional_chain(models, {from_stage(2)});
  spec.stages[2].inputs = {{from_stage(1), from_stage(0)}, {from_request()}};
  EngineHarness harness(spec);
  const Answer answer = harness.infer({0.9f, 0.1f});
  ASSERT_EQ(answer.values.size(), 2 * kWidth);
  EXPECT_NEAR(answer.values[0], 2 * 0.9f + 1 + 100, 0.01);
  EXPECT_NEAR(answer.values[kWidth], 2 * 0.1f + 1 + 10 + 100, 0.01);
}

TEST(EngineDiamond, FinishesARequestWhoseBranchesAreAllSkipped) {
  const DiamondModels models;
  PipelineSpec spec = diamond(models);
  spec.stages[1].condition = Condition{from_stage(0, FakeModel::kScore), 0.5, {}, {}};
  spec.stages[2].condition = spec.stages[1].condition;
  EngineHarness harness(spec);
  EXPECT_EQ(harness.infer({0.9f}).values, std::vector<float>(kWidth, -1));
  EXPECT_EQ(models.d->script().runs, 0);
}

// A fixed-shape stage behind one of open shape is only told at run time what comes.
TEST(EngineShapes, FailARowOfAnotherSizeThanTheNextStageDeclares) {
  FakeOptions open;
  open.width = -1;
  PipelineSpec spec = pipeline_of({stage_of("open", fake(open), {{from_request()}}),
                                   stage_of("fixed", fake_adding(10), {{from_stage(0)}})},
                                  {from_stage(1)});
  spec.inputs[0].dims = {-1, -1};
  EngineHarness harness(spec);
  const Answer wrong = harness.answer(harness.submit_open({1, 2, 3}, {3}));
  EXPECT_EQ(wrong.outcome, Outcome::kFailed);
  EXPECT_EQ(wrong.failed_stage, 1u);
  EXPECT_NE(wrong.message.find("'fixed'"), std::string::npos) << wrong.message;
  const Answer right = harness.answer(harness.submit_open({1, 2, 3, 4}, {4}));
  EXPECT_EQ(right.values, (std::vector<float>{12, 13, 14, 15}));
  EXPECT_TRUE(eventually([&] { return harness.stage(1).waiting == 0; })) << "its slot is cleared";
}

TEST(EngineShapes, PassFromAnUnbatchedPipelineThroughABatchedStageOfOpenShape) {
  FakeOptions open;
  open.width = -1;
  const auto model = fake(open);
  PipelineSpec spec = single(model);
  spec.batched = false;
  spec.inputs[0].dims = {1, -1};
  model->script().gate.close();
  EngineHarness harness(spec);
  std::vector<std::uint32_t> indices{harness.submit_open({0, 1}, {1, 2})};
  ASSERT_TRUE(eventually([&] { return model->script().runs == 1; }));
  for (float n = 1; n < 3; ++n) indices.push_back(harness.submit_open({n, n + 1}, {1, 2}));
  model->script().gate.open();
  for (float n = 0; n < 3; ++n) {
    const Answer answer = harness.answer(indices[static_cast<std::size_t>(n)]);
    EXPECT_EQ(answer.values, (std::vector<float>{n + 1, n + 2}));
    EXPECT_EQ(answer.dims, (std::vector<std::int64_t>{1, 2}));
  }
  EXPECT_EQ(harness.stage().batches, 2u) << "the two that waited went together";
  EXPECT_EQ(harness.stage().retries, 0u);
}

}  // namespace
}  // namespace millrace
