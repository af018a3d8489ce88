// A stage turns a row into items; what reads them runs once an item, and a later stage gathers
// them.
#include "row_model.h"

namespace millrace {
namespace {

using Dims = std::vector<std::int64_t>;

// x -> split (fan-out) -> add 1; y = the items
PipelineSpec split_and_add(const std::shared_ptr<RowModel>& split,
                           const std::shared_ptr<FakeModel>& add) {
  return pipeline_of({fan_out_of("split", split, {{from_request()}}),
                      stage_of("add", add, {{from_stage(0, kItems)}})},
                     {from_stage(1)});
}

// x -> split (fan-out) -> add 1 -> join (gathers split, and reads x); y = join
PipelineSpec split_and_join(const std::shared_ptr<RowModel>& split,
                            const std::shared_ptr<FakeModel>& add,
                            const std::shared_ptr<RowModel>& join) {
  PipelineSpec spec = split_and_add(split, add);
  spec.stages.push_back(gather_of("join", join, 0, {{from_stage(1)}, {from_request()}}));
  spec.outputs[0].sources = {from_stage(2)};
  return spec;
}

// What join says of a row that starts with this, where each item had `added`.
std::vector<float> joined(float first, float added = 1) {
  float sum = 0;
  float weighted = 0;
  const std::vector<float> items = items_of({first});
  for (std::size_t i = 0; i < items.size(); ++i) {
    sum += items[i] + added;
    weighted += (items[i] + added) * static_cast<float>(i + 1);
  }
  return {sum, static_cast<float>(items.size()), weighted, first};
}

testing::AssertionResult joins(const Answer& answer, const std::vector<float>& firsts,
                               float added = 1) {
  if (answer.outcome != Outcome::kCompleted) {
    return testing::AssertionFailure() << "it did not complete: " << answer.message;
  }
  if (answer.values.size() != firsts.size() * kWidth) {
    return testing::AssertionFailure() << answer.values.size() << " values";
  }
  for (std::size_t row = 0; row < firsts.size(); ++row) {
    const std::vector<float> right = joined(firsts[row], added);
    for (std::size_t i = 0; i < kWidth; ++i) {
      if (std::abs(answer.values[row * kWidth + i] - right[i]) < 0.05f) continue;
      return testing::AssertionFailure()
             << "row " << row << ", element " << i << ": " << answer.values[row * kWidth + i]
             << " instead of " << right[i];
    }
  }
  return testing::AssertionSuccess();
}

TEST(EngineFanOut, RunsWhatReadsItOnceAnItem) {
  const auto add = fake_adding(1);
  EngineHarness harness(split_and_add(splitter(), add));
  const Answer answer = harness.infer({3.5f});
  EXPECT_EQ(answer.dims, (Dims{3, 4}));
  EXPECT_TRUE(starts_with(answer, {103.5f, 203.5f, 303.5f}, 1));
  EXPECT_EQ(add->script().seen(203.5f), 1);
}

TEST(EngineFanOut, RunsNothingWhereThereAreNoItems) {
  const auto add = fake_adding(1);
  EngineHarness harness(split_and_add(splitter(), add));
  const Answer answer = harness.infer({0.5f});
  EXPECT_EQ(answer.outcome, Outcome::kCompleted);
  EXPECT_EQ(answer.dims, (Dims{0, 4}));
  EXPECT_EQ(add->script().runs, 0);
  EXPECT_TRUE(harness.drained());
}

TEST(EngineFanOut, KeepsTheItemsOfEachRowInOrder) {
  for (const bool ragged : {false, true}) {
    EngineHarness harness(split_and_add(splitter(ragged), fake_adding(1)));
    const std::vector<float> firsts{2, 0, 13, 1, 1.5f};
    const Answer answer = harness.infer(firsts);
    EXPECT_EQ(answer.dims, (Dims{17, 4}));
    EXPECT_TRUE(starts_with(answer, items_of(firsts), 1)) << ragged;
    EXPECT_TRUE(starts_with(harness.infer({2, 2.5f}), items_of({2, 2.5f}), 1)) << "alike";
  }
}

TEST(EngineFanOut, BatchesItemsOfDifferentRequests) {
  const auto split = splitter();
  const auto add = fake_adding(1);
  EngineHarness harness(split_and_add(split, add));
  split->script().gate.close();
  const std::uint32_t plug = harness.submit({1});
  ASSERT_TRUE(eventually([&] { return split->script().running == 1; }));
  add->script().gate.close();
  split->script().gate.open();
  ASSERT_TRUE(eventually([&] { return add->script().running == 1; }));
  std::vector<std::uint32_t> indices{harness.submit({2}), harness.submit({3})};
  ASSERT_TRUE(eventually([&] { return harness.stage(1).waiting == 5; }));
  add->script().gate.open();
  harness.answer(plug);
  EXPECT_TRUE(starts_with(harness.answer(indices[0]), items_of({2}), 1));
  EXPECT_TRUE(starts_with(harness.answer(indices[1]), items_of({3}), 1));
  EXPECT_EQ(add->script().batches()[1].firsts.size(), 5u);
}

TEST(EngineFanOut, IsAnOutputItself) {
  EngineHarness harness(
      pipeline_of({fan_out_of("split", splitter(), {{from_request()}})}, {from_stage(0, kTags)}));
  const Answer answer = harness.infer({2, 3});
  EXPECT_EQ(answer.dims, (Dims{5}));
  EXPECT_EQ(answer.values, (std::vector<float>{0, 1, 0, 1, 2}));
}

TEST(EngineFanOut, IsLostOnNobodyWhoDoesNotReadIt) {
  PipelineSpec spec = pipeline_of({stage_of("add", fake_adding(1), {{from_request()}}),
                                   fan_out_of("split", splitter(), {{from_request()}})},
                                  {from_stage(0)});
  EngineHarness harness(spec);
  EXPECT_TRUE(adds(harness.infer({2, 3}), {2, 3}, 1));
  EXPECT_TRUE(harness.drained());
}

TEST(EngineFanOut, UsesItsMemoryAgainForAnyNumberOfItems) {
  EngineHarness harness(split_and_join(splitter(), fake_adding(1), summer(1)));
  for (const float first : {3.0f, 0.0f, 99.0f, 1.0f, 70.0f, 2.0f}) {
    EXPECT_TRUE(joins(harness.infer({first, 2}), {first, 2})) << first;
  }
  EXPECT_TRUE(harness.drained());
}

// Items of one open dimension: 2 elements each, or `odd` where the row has 3 items.
std::shared_ptr<RowModel> open_splitter(std::int64_t odd = 2) {
  return row_model({{floats("x", {-1, 4})},
                    {floats("items", {-1, -1, -1})},
                    [odd](const auto& inputs, auto& outputs) -> Status {
                      const std::int64_t count = items_in(inputs[0].numbers[0]);
                      const std::int64_t length = count == 3 ? odd : 2;
                      outputs[0].dims = {count, length};
                      for (std::int64_t i = 0; i < count * length; ++i) {
                        outputs[0].numbers.push_back(static_cast<float>(i));
                      }
                      return {};
                    }});
}

std::shared_ptr<FakeModel> open_adder() {
  FakeOptions options;
  options.width = -1;
  return fake(options);
}

TEST(EngineFanOut, CarriesItemsOfOpenShape) {
  EngineHarness harness(pipeline_of({fan_out_of("split", open_splitter(), {{from_request()}}),
                                     stage_of("add", open_adder(), {{from_stage(0)}})},
                                    {from_stage(1)}));
  const Answer answer = harness.infer({2, 1});
  EXPECT_EQ(answer.dims, (Dims{3, 2}));
  EXPECT_EQ(answer.values, (std::vector<float>{1, 2, 3, 4, 1, 2}));
  EXPECT_EQ(harness.infer({0}).dims, (Dims{0, 0}));
}

TEST(EngineFanOut, HasNoOneTensorOfItemsOfDifferentShapes) {
  EngineHarness harness(pipeline_of({fan_out_of("split", open_splitter(5), {{from_request()}}),
                                     stage_of("add", open_adder(), {{from_stage(0)}})},
                                    {from_stage(1)}));
  const Answer answer = harness.infer({2, 3});
  EXPECT_EQ(answer.outcome, Outcome::kCompleted);
  EXPECT_TRUE(answer.dims.empty());
}

TEST(EngineFanOut, CarriesStrings) {
  const auto words = row_model({{floats("x", {-1, 4})},
                                {{"words", DataType::kString, {-1, -1, 1}, {}}},
                                [](const auto& inputs, auto& outputs) -> Status {
                                  const std::int64_t count = items_in(inputs[0].numbers[0]);
                                  outputs[0].dims = {count, 1};
                                  for (std::int64_t i = 0; i < count; ++i) {
                                    outputs[0].strings.push_back("word " + std::to_string(i));
                                  }
                                  return {};
                                }});
  FakeOptions text;
  text.strings = true;
  text.width = 1;
  const auto concatenate = row_model({{{"all", DataType::kString, {-1, -1, 1}, {}}},
                                      {{"line", DataType::kString, {-1, 1}, {}}},
                                      [](const auto& inputs, auto& outputs) -> Status {
                                        std::string line;
                                        for (const auto& word : inputs[0].strings) line += word;
                                        outputs[0] = {{1}, {}, {line}};
                                        return {};
                                      }});
  PipelineSpec spec = pipeline_of({fan_out_of("words", words, {{from_request()}}),
                                   stage_of("shout", fake(text), {{from_stage(0)}}),
                                   gather_of("line", concatenate, 0, {{from_stage(1)}})},
                                  {from_stage(1)});
  EXPECT_EQ(EngineHarness(spec).infer({2, 1}).strings,
            (std::vector<std::string>{"word 0!", "word 1!", "word 0!"}));
  spec.outputs[0].sources = {from_stage(2)};
  EXPECT_EQ(EngineHarness(spec).infer({2, 0, 1}).strings,
            (std::vector<std::string>{"word 0!word 1!", "", "word 0!"}));
}

TEST(EngineFanIn, GivesARowTheValuesOfAllItsItems) {
  EngineHarness harness(split_and_join(splitter(), fake_adding(1), summer(1)));
  EXPECT_TRUE(joins(harness.infer({3}), {3}));
  EXPECT_TRUE(joins(harness.infer({2, 5.5f, 1, 20, 2}), {2, 5.5f, 1, 20, 2}));
}

TEST(EngineFanIn, RunsForARowWithoutItems) {
  const auto join = summer(1);
  EngineHarness harness(split_and_join(splitter(), fake_adding(1), join));
  EXPECT_TRUE(joins(harness.infer({0.5f}), {0.5f}));
  EXPECT_TRUE(joins(harness.infer({0, 2, 0}), {0, 2, 0}));
  EXPECT_GE(join->script().runs, 2);
}

TEST(EngineFanIn, GathersWhatTheFanOutItselfGave) {
  EngineHarness harness(pipeline_of({fan_out_of("split", splitter(), {{from_request()}}),
                                     gather_of("join", summer(), 0, {{from_stage(0, kItems)}})},
                                    {from_stage(1)}));
  const Answer answer = harness.infer({3, 0});
  EXPECT_EQ(answer.values[0], 609);
  EXPECT_EQ(answer.values[1], 3);
  EXPECT_EQ(answer.values[kWidth + 1], 0);
}

TEST(EngineFanIn, WaitsForEveryItemAndForEverythingElseItReads) {
  const auto add = fake_adding(1);
  const auto beside = fake_adding(0);
  const auto join = summer(1);
  PipelineSpec spec = split_and_join(splitter(), add, join);
  spec.stages.insert(spec.stages.begin() + 2, stage_of("beside", beside, {{from_request()}}));
  spec.stages[3].inputs[1] = {from_stage(2)};
  spec.outputs[0].sources = {from_stage(3)};
  spec.stages[1].max_batch = 1;
  EngineHarness harness(spec);
  beside->script().gate.close();
  const std::uint32_t first = harness.submit({2});
  ASSERT_TRUE(eventually([&] { return harness.stage(1).rows == 2; }));
  EXPECT_EQ(join->script().runs, 0) << "the stage beside has not run";
  add->script().gate.close();
  const std::uint32_t second = harness.submit({2});
  beside->script().gate.open();
  EXPECT_TRUE(joins(harness.answer(first), {2}));
  ASSERT_TRUE(eventually([&] { return add->script().running == 1; }));
  EXPECT_EQ(join->script().runs, 1) << "the items have not run";
  add->script().gate.open();
  EXPECT_TRUE(joins(harness.answer(second), {2}));
}

TEST(EngineFanIn, IsReadByFurtherStages) {
  PipelineSpec spec = split_and_join(splitter(), fake_adding(1), summer(1));
  spec.stages.push_back(stage_of("last", fake_adding(0.5f), {{from_stage(2)}}));
  spec.outputs[0].sources = {from_stage(3)};
  EngineHarness harness(spec);
  EXPECT_NEAR(harness.infer({2}).values[0], 306.5f, 0.01);
}

TEST(EngineFanIn, TakesTheFirstCandidateThatRanForEachItem) {
  // Items are raised by 1, or by 10 where their own first element is below 250.
  PipelineSpec spec = split_and_join(splitter(), fake_adding(1), summer(1));
  spec.stages.insert(spec.stages.begin() + 2,
                     stage_of("more", fake_adding(10), {{from_stage(0, kItems)}}));
  spec.stages[2].condition = Condition{from_stage(1, FakeModel::kScore), 250, {}, {}};
  spec.stages[3].inputs[0] = {from_stage(2), from_stage(1)};
  spec.outputs[0].sources = {from_stage(3)};
  EngineHarness harness(spec);
  EXPECT_NEAR(harness.infer({3}).values[0], 103 + 10 + 203 + 10 + 303 + 1, 0.01);
}

TEST(EngineFanIn, IsSkippedWhereAnItemHasNothingToGather) {
  PipelineSpec spec = split_and_join(splitter(), fake_adding(1), summer(1));
  spec.stages[1].condition = Condition{from_stage(0, kTags), {}, 0.5, {}};
  EngineHarness harness(spec);
  EXPECT_EQ(harness.infer({3}).values, std::vector<float>(kWidth, -1)) << "item 0 was skipped";
  EXPECT_TRUE(joins(harness.infer({0}), {0})) << "no item has nothing";
}

TEST(EngineFanIn, FailsARowWhoseItemsHaveDifferentShapes) {
  // Each item keeps as many elements as its tag says.
  const auto cut = row_model(
      {{floats("x", {-1, 4}), floats("tag", {-1})},
       {floats("y", {-1, -1})},
       [](const auto& inputs, auto& outputs) -> Status {
         const auto kept = static_cast<std::size_t>(inputs[1].numbers[0]);
         outputs[0] = {{static_cast<std::int64_t>(kept)}, std::vector<float>(kept, 1), {}};
         return {};
       }});
  const auto any = row_model({{floats("a", {-1, -1, -1})},
                              {floats("y", {-1})},
                              [](const auto& inputs, auto& outputs) -> Status {
                                outputs[0] = {{}, {static_cast<float>(inputs[0].dims[1])}, {}};
                                return {};
                              }});
  PipelineSpec spec =
      pipeline_of({fan_out_of("split", splitter(), {{from_request()}}),
                   stage_of("cut", nullptr, {{from_stage(0, kItems)}, {from_stage(0, kTags)}}),
                   gather_of("join", any, 0, {{from_stage(1)}})},
                  {from_stage(2)});
  spec.stages[1].model = cut;
  spec.stages[1].max_batch = 1;
  EngineHarness harness(spec);
  const Answer answer = harness.infer({2});
  EXPECT_EQ(answer.outcome, Outcome::kFailed);
  EXPECT_EQ(answer.failed_stage, 2u);
  EXPECT_NE(answer.message.find("'a'"), std::string::npos) << answer.message;
  EXPECT_NE(answer.message.find("[0] and [1]"), std::string::npos) << answer.message;
  EXPECT_EQ(harness.infer({1}).outcome, Outcome::kCompleted);
  EXPECT_TRUE(harness.drained());
}

// split -> mix (an item, and a value of its row); beside is the row's value: x + 1000
struct Broadcast {
  Broadcast() {
    spec = pipeline_of({fan_out_of("split", split, {{from_request()}}),
                        stage_of("beside", beside, {{from_request()}}),
                        stage_of("mix", mix, {{from_stage(0, kItems)}, {from_stage(1)}})},
                       {from_stage(2)});
  }
  [[nodiscard]] static std::vector<float> mixed(float first) {
    std::vector<float> items = items_of({first});
    for (float& item : items) item += first + 1000;
    return items;
  }

  const std::shared_ptr<RowModel> split = splitter();
  const std::shared_ptr<FakeModel> beside = fake_adding(1000);
  const std::shared_ptr<FakeModel> mix = fake_adding(0, 2);
  PipelineSpec spec;
};

TEST(EngineBroadcast, ShowsEveryItemTheRequestsInput) {
  PipelineSpec spec = split_and_add(splitter(), fake_adding(0, 2));
  spec.stages[1].inputs.push_back({from_request()});
  EngineHarness harness(spec);
  EXPECT_TRUE(starts_with(harness.infer({2, 3}), {104, 204, 106, 206, 306}));
}

TEST(EngineBroadcast, WaitsForAValueAboveThatComesAfterTheItems) {
  Broadcast broadcast;
  broadcast.beside->script().gate.close();
  EngineHarness harness(broadcast.spec);
  const std::uint32_t index = harness.submit({3});
  ASSERT_TRUE(eventually([&] { return harness.stage(0).rows == 1; }));
  EXPECT_EQ(broadcast.mix->script().runs, 0);
  broadcast.beside->script().gate.open();
  EXPECT_TRUE(starts_with(harness.answer(index), Broadcast::mixed(3)));
}

TEST(EngineBroadcast, WaitsForItemsThatComeAfterTheValueAbove) {
  Broadcast broadcast;
  broadcast.split->script().gate.close();
  EngineHarness harness(broadcast.spec);
  const std::uint32_t index = harness.submit({3});
  ASSERT_TRUE(eventually([&] { return harness.stage(1).rows == 1; }));
  broadcast.split->script().gate.open();
  EXPECT_TRUE(starts_with(harness.answer(index), Broadcast::mixed(3)));
}

TEST(EngineBroadcast, HandsOnThatAStageAboveWasSkipped) {
  Broadcast broadcast;
  broadcast.spec.stages[1].condition = Condition{from_stage(0, kTags), 1, {}, {}};
  // A condition on items would put it among them; ask something of the row instead.
  broadcast.spec.stages.insert(broadcast.spec.stages.begin(),
                               stage_of("ask", fake_adding(0), {{from_request()}}));
  broadcast.spec.stages[2].condition = Condition{from_stage(0, FakeModel::kScore), 2.5, {}, {}};
  broadcast.spec.stages[3].inputs = {{from_stage(1, kItems)}, {from_stage(2), from_request()}};
  broadcast.spec.outputs[0].sources = {from_stage(3)};
  EngineHarness harness(broadcast.spec);
  EXPECT_TRUE(starts_with(harness.infer({2}), {102 + 1002, 202 + 1002})) << "beside ran";
  EXPECT_TRUE(starts_with(harness.infer({3}), {106, 206, 306})) << "beside was skipped";
}

TEST(EngineBroadcast, BringsWhatWasGatheredBackToTheItems) {
  // split -> add -> join -> back (each item with what was joined): nothing blocks, and items are
  // run in two goes.
  PipelineSpec spec = split_and_join(splitter(), fake_adding(1), summer(1));
  spec.stages.push_back(stage_of("back", fake_adding(0, 2), {{from_stage(1)}, {from_stage(2)}}));
  spec.outputs[0].sources = {from_stage(3)};
  EngineHarness harness(spec);
  EXPECT_TRUE(starts_with(harness.infer({2}), {103 + 306, 203 + 306}));
  EXPECT_EQ(harness.infer({0}).dims, (Dims{0, 4}));
  EXPECT_TRUE(starts_with(harness.infer({1, 0, 2}), {102 + 102, 103 + 306, 203 + 306}));
  EXPECT_TRUE(harness.drained());
}

TEST(EngineItems, AreEachDecidedForByACondition) {
  const auto accurate = fake_adding(50);
  PipelineSpec spec = split_and_add(splitter(), fake_adding(1));
  spec.stages.push_back(stage_of("accurate", accurate, {{from_stage(0, kItems)}}));
  spec.stages[2].condition = Condition{from_stage(1, FakeModel::kScore), 250, {}, {}};
  spec.outputs[0].sources = {from_stage(2), from_stage(1)};
  EngineHarness harness(spec);
  EXPECT_TRUE(starts_with(harness.infer({3}), {153, 253, 304}));
  EXPECT_EQ(accurate->script().seen(303), 0);
}

TEST(EngineItems, AreDecidedForByAConditionOnTheirOwnValues) {
  PipelineSpec spec = split_and_add(splitter(), fake_adding(1));
  spec.stages[1].condition = Condition{from_stage(0, kTags), {}, {}, 1.0};
  EngineHarness harness(spec);
  EXPECT_TRUE(starts_with(harness.infer({3}), {-1, 204, -1})) << "the others are filled";
}

TEST(EngineItems, AskAConditionAboutTheirRow) {
  PipelineSpec spec = pipeline_of({stage_of("ask", fake_adding(0), {{from_request()}}),
                                   fan_out_of("split", splitter(), {{from_request()}}),
                                   stage_of("add", fake_adding(1), {{from_stage(1, kItems)}})},
                                  {from_stage(2), from_stage(1, kItems)});
  spec.stages[2].condition = Condition{from_stage(0, FakeModel::kScore), 2.5, {}, {}};
  EngineHarness harness(spec);
  EXPECT_TRUE(starts_with(harness.infer({2, 3}), {103, 203, 103, 203, 303}));
}

TEST(EngineItems, AreJoinedOnceEach) {
  const auto join = fake_adding(1000, 2);
  PipelineSpec spec = split_and_add(splitter(), fake_adding(1));
  spec.stages.push_back(stage_of("other", fake_adding(10), {{from_stage(0, kItems)}}));
  spec.stages.push_back(stage_of("join", join, {{from_stage(1)}, {from_stage(2)}}));
  spec.outputs[0].sources = {from_stage(3)};
  EngineHarness harness(spec);
  EXPECT_TRUE(starts_with(harness.infer({2}), {103 + 112 + 1000, 203 + 212 + 1000}));
  EXPECT_EQ(harness.stage(3).rows, 2u);
}

// Where the fan-out stage itself may be skipped: only rows below 2.5 are split.
PipelineSpec conditional_split(const std::shared_ptr<RowModel>& join) {
  PipelineSpec spec = pipeline_of({stage_of("ask", fake_adding(0), {{from_request()}}),
                                   fan_out_of("split", splitter(), {{from_request()}}),
                                   stage_of("add", fake_adding(1), {{from_stage(1, kItems)}}),
                                   gather_of("join", join, 1, {{from_stage(2)}, {from_request()}})},
                                  {from_stage(3), from_request()});
  spec.stages[1].condition = Condition{from_stage(0, FakeModel::kScore), 2.5, {}, {}};
  return spec;
}

TEST(EngineFanOut, MakesNoItemsOfARowForWhichItWasSkipped) {
  const auto join = summer(1);
  EngineHarness harness(conditional_split(join));
  EXPECT_TRUE(joins(harness.infer({2}), {2}));
  EXPECT_TRUE(adds(harness.infer({3}), {3}, 0)) << "nothing was gathered";
  EXPECT_EQ(join->script().runs, 1);
  PipelineSpec items = conditional_split(summer(1));
  items.outputs[0].sources = {from_stage(2)};
  EngineHarness second(items);
  EXPECT_TRUE(starts_with(second.infer({2, 3, 1}), {103, 203, 102}));
  EXPECT_TRUE(second.drained());
}

// x -> rows (fan-out) -> add 0.5 -> cells (fan-out) -> add 1; and both gathered again, twice.
PipelineSpec nested() {
  return pipeline_of({fan_out_of("rows", splitter(), {{from_request()}}),
                      stage_of("shrink", fake_adding(0), {{from_stage(0, kItems)}}),
                      fan_out_of("cells", splitter(), {{from_stage(1)}}),
                      stage_of("add", fake_adding(1, 3),
                               {{from_stage(2, kItems)}, {from_stage(1)}, {from_request()}}),
                      gather_of("inner", summer(), 2, {{from_stage(3)}}),
                      gather_of("outer", summer(), 0, {{from_stage(4)}})},
                     {from_stage(3)});
}

// The splitter takes x[0] modulo 100, so cells of row item j of x: as many as x has.
std::vector<float> cells_of(float first) {
  std::vector<float> cells;
  for (const float item : items_of({first})) {
    for (const float cell : items_of({item})) cells.push_back(cell + item + first + 1);
  }
  return cells;
}

TEST(EngineNestedFanOut, RunsOnceAnItemOfAnItem) {
  EngineHarness harness(nested());
  const Answer answer = harness.infer({3});
  EXPECT_EQ(answer.dims, (Dims{9, 4}));
  EXPECT_TRUE(starts_with(answer, cells_of(3)));
  std::vector<float> both = cells_of(2);
  for (const float cell : cells_of(4)) both.push_back(cell);
  EXPECT_TRUE(starts_with(harness.infer({2, 0, 4}), both));
  EXPECT_EQ(harness.infer({0}).dims, (Dims{0, 4}));
  EXPECT_TRUE(harness.drained());
}

TEST(EngineNestedFanOut, IsGatheredLevelByLevel) {
  PipelineSpec spec = nested();
  spec.outputs[0].sources = {from_stage(5)};
  EngineHarness harness(spec);
  float sum = 0;
  for (const float cell : cells_of(3)) sum += cell;
  const Answer answer = harness.infer({3, 0});
  ASSERT_EQ(answer.values.size(), 2 * kWidth) << answer.message;
  EXPECT_NEAR(answer.values[0], sum, 0.5);
  EXPECT_EQ(answer.values[1], 3);
  EXPECT_EQ(answer.values[kWidth + 1], 0);
  EXPECT_TRUE(harness.drained());
}

TEST(EngineNestedFanOut, HandsAValueOfTheRequestDownTwoLevels) {
  PipelineSpec spec = nested();
  const auto beside = fake_adding(0);
  spec.stages.insert(spec.stages.begin(), stage_of("beside", beside, {{from_request()}}));
  for (StageSpec& stage : spec.stages) {
    if (stage.gather) ++*stage.gather;
    for (auto& candidates : stage.inputs) {
      if (!candidates[0].from_request) ++candidates[0].stage;
    }
  }
  spec.stages[4].inputs[2] = {from_stage(0)};
  spec.outputs[0].sources = {from_stage(4)};
  beside->script().gate.close();
  EngineHarness harness(spec);
  const std::uint32_t late = harness.submit({3});
  ASSERT_TRUE(eventually([&] { return harness.stage(3).rows == 3; }));
  beside->script().gate.open();
  EXPECT_TRUE(starts_with(harness.answer(late), cells_of(3)));
  EXPECT_TRUE(starts_with(harness.infer({2}), cells_of(2)));
  EXPECT_TRUE(harness.drained());
}

TEST(EngineNestedFanOut, HandsAnItemDownToItsOwnItems) {
  PipelineSpec spec = nested();
  spec.stages[3].inputs = {{from_stage(2, kItems)}, {from_stage(0, kItems)}, {from_request()}};
  EngineHarness harness(spec);
  EXPECT_TRUE(starts_with(harness.infer({3, 2}), [] {
    std::vector<float> cells = cells_of(3);
    for (const float cell : cells_of(2)) cells.push_back(cell);
    return cells;
  }()));
}

TEST(EngineNestedFanOut, MayFollowAGatheringInOneStage) {
  // again: gathers the items and makes one item of each pair of them.
  const auto again = row_model({{floats("a", {-1, -1, 4})},
                                {floats("pairs", {-1, -1, 4})},
                                [](const auto& inputs, auto& outputs) -> Status {
                                  const std::int64_t pairs = inputs[0].dims[0] / 2;
                                  const auto& all = inputs[0].numbers;
                                  outputs[0].dims = {pairs, 4};
                                  outputs[0].numbers.assign(all.begin(), all.begin() + pairs * 4);
                                  return {};
                                }});
  PipelineSpec spec = split_and_add(splitter(), fake_adding(1));
  spec.stages.push_back(gather_of("again", again, 0, {{from_stage(1)}}));
  spec.stages[2].fan_out = true;
  spec.stages.push_back(stage_of("last", fake_adding(0.5f), {{from_stage(2)}}));
  spec.outputs[0].sources = {from_stage(3)};
  EngineHarness harness(spec);
  EXPECT_TRUE(starts_with(harness.infer({4, 1, 3}), {105.5f, 205.5f, 104.5f}));
  EXPECT_TRUE(harness.drained());
}

TEST(EngineFanOuts, OfTheSameRowGoBesideEachOther) {
  PipelineSpec spec =
      pipeline_of({fan_out_of("left", splitter(), {{from_request()}}),
                   fan_out_of("right", splitter(), {{from_request()}}),
                   gather_of("a", summer(), 0, {{from_stage(0, kItems)}}),
                   gather_of("b", summer(1), 1, {{from_stage(1, kItems)}, {from_stage(2)}})},
                  {from_stage(3)});
  EngineHarness harness(spec);
  const Answer answer = harness.infer({3});
  EXPECT_EQ(answer.values, (std::vector<float>{609, 3, 103 + 406 + 909, 609}));
}

}  // namespace
}  // namespace millrace
