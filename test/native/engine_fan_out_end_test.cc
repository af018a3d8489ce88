// A request with items ends once, whatever ends it and wherever its items are.
#include "row_model.h"

namespace millrace {
namespace {

// x -> split (fan-out) -> add 1 -> join (gathers split); one item a batch, so that some wait while
// one runs.
class EngineItemsTest : public testing::Test {
 protected:
  static constexpr std::size_t kStages = 3;

  EngineItemsTest() {
    spec_ = pipeline_of({fan_out_of("split", split_, {{from_request()}}),
                         stage_of("add", add_, {{from_stage(0, kItems)}}),
                         gather_of("join", join_, 0, {{from_stage(1)}})},
                        {from_stage(2)});
    for (StageSpec& stage : spec_.stages) stage.max_batch = 1;
  }

  FakeScript& script(std::size_t stage) {
    if (stage == 0) return split_->script();
    return stage == 1 ? add_->script() : join_->script();
  }

  // Closes a stage's gate, and returns when a row or item of the request is being run there.
  static std::uint32_t stick(EngineHarness& harness, FakeScript& at,
                             const SubmitOptions& options = {}) {
    at.gate.close();
    const std::uint32_t index = harness.submit({3, 2}, options);
    EXPECT_TRUE(eventually([&] { return at.running == 1; }));
    return index;
  }

  static float sum_of(float first) {
    float sum = 0;
    for (const float item : items_of({first})) sum += item + 1;
    return sum;
  }

  static void expect_served(EngineHarness& harness) {
    const Answer answer = harness.infer({2, 0});
    ASSERT_EQ(answer.values.size(), 2 * kWidth) << answer.message;
    EXPECT_EQ(answer.values[0], sum_of(2));
    EXPECT_EQ(answer.values[1], 2);
    EXPECT_EQ(answer.values[kWidth], 0);
  }

  const std::shared_ptr<RowModel> split_ = splitter();
  const std::shared_ptr<FakeModel> add_ = fake_adding(1);
  const std::shared_ptr<RowModel> join_ = summer();
  PipelineSpec spec_;
};

using EngineItemsEnd = EngineItemsTest;
using EngineItemsFailure = EngineItemsTest;
using EngineItemsRoom = EngineItemsTest;

TEST_F(EngineItemsEnd, AtOnceWhenCancelledWhereverTheyAre) {
  for (std::size_t stage = 0; stage < kStages; ++stage) {
    EngineHarness harness(spec_);
    const std::uint32_t index = stick(harness, script(stage));
    EXPECT_TRUE(harness.engine().cancel(index));
    EXPECT_FALSE(harness.engine().cancel(index));
    EXPECT_EQ(harness.engine().pending(), 0u);
    script(stage).gate.open();
    EXPECT_TRUE(harness.drained());
    EXPECT_EQ(harness.collect(), 0u);
    expect_served(harness);
  }
}

TEST_F(EngineItemsEnd, WithoutRunningThoseThatStillWait) {
  EngineHarness harness(spec_);
  const std::uint32_t index = stick(harness, script(1));
  ASSERT_TRUE(eventually([&] { return harness.stage(1).waiting == 4; }));
  harness.engine().cancel(index);
  script(1).gate.open();
  EXPECT_TRUE(harness.drained());
  EXPECT_EQ(script(1).runs, 1);
  EXPECT_EQ(script(2).runs, 0) << "what was gathered is of no use to anybody";
  const StageStats stage = harness.stage(1);
  EXPECT_EQ(stage.interrupted, 1u) << "nor for the one that ran";
  EXPECT_EQ(stage.skipped, 5u);
}

TEST_F(EngineItemsEnd, WhenTheirTimeIsUpWhereverTheyAre) {
  for (std::size_t stage = 0; stage < kStages; ++stage) {
    EngineHarness harness(spec_);
    harness.expires = true;
    SubmitOptions options;
    options.deadline = harness.in(60 * kMs);
    const std::uint32_t index = stick(harness, script(stage), options);
    EXPECT_EQ(harness.answer(index).outcome, Outcome::kDeadlineExceeded);
    script(stage).gate.open();
    EXPECT_TRUE(harness.drained());
    expect_served(harness);
  }
}

TEST_F(EngineItemsEnd, WhenAReplicaReachesAnItemTooLate) {
  EngineHarness harness(spec_);
  SubmitOptions options;
  options.deadline = harness.in(30 * kMs);
  const std::uint32_t index = stick(harness, script(1), options);
  std::this_thread::sleep_for(std::chrono::milliseconds(35));
  script(1).gate.open();
  EXPECT_EQ(harness.answer(index).outcome, Outcome::kDeadlineExceeded);
  EXPECT_TRUE(harness.drained());
  EXPECT_EQ(script(1).runs, 1);
  EXPECT_EQ(harness.collect(), 0u);
}

TEST_F(EngineItemsEnd, AsClosedWhenTheEngineStopsWhereverTheyAre) {
  for (const bool terminate : {false, true}) {
    for (std::size_t stage = 0; stage < kStages; ++stage) {
      EngineHarness harness(spec_);
      const std::uint32_t index = stick(harness, script(stage));
      if (!terminate) script(stage).gate.open();
      harness.engine().stop(terminate);
      harness.engine().abandon();
      const Outcome outcome = harness.answer(index).outcome;
      EXPECT_TRUE(outcome == Outcome::kClosed || (!terminate && outcome == Outcome::kCompleted));
      EXPECT_EQ(harness.engine().pending(), 0u);
      EXPECT_EQ(harness.engine().stats().pending_rows, 0u);
      harness.destroy();
      script(stage).gate.open();
    }
  }
}

TEST_F(EngineItemsEnd, WhenCancelledBeforeTheEngineStops) {
  for (std::size_t stage = 0; stage < kStages; ++stage) {
    EngineHarness harness(spec_);
    const std::uint32_t index = stick(harness, script(stage));
    harness.engine().cancel(index);
    harness.engine().stop(true);
    harness.engine().abandon();
    EXPECT_EQ(harness.collect(), 0u);
    harness.destroy();
    script(stage).gate.open();
  }
}

TEST_F(EngineItemsFailure, OfOneFailsTheRequestAndNobodyElses) {
  spec_.stages[1].max_batch = 8;
  EngineHarness harness(spec_);
  const std::uint32_t plug = stick(harness, script(1));
  const std::uint32_t other = harness.submit({2});
  script(1).gate.open();
  EXPECT_EQ(harness.answer(plug).outcome, Outcome::kCompleted);
  EXPECT_EQ(harness.answer(other).outcome, Outcome::kCompleted);
  script(1).extra_rows = 1;
  const Answer failed = harness.infer({1, 3});
  EXPECT_EQ(failed.outcome, Outcome::kFailed);
  EXPECT_EQ(failed.failed_stage, 1u);
  script(1).extra_rows = 0;
  EXPECT_TRUE(harness.drained());
  EXPECT_EQ(harness.collect(), 0u);
  expect_served(harness);
}

TEST_F(EngineItemsFailure, OfAGuiltyItemLeavesTheItemsOfOthersAlone) {
  // Of a row that starts with 7, item 1 is poison for the stage after it.
  const auto poison = row_model({{floats("x", {-1, 4})},
                                 {floats("items", {-1, -1, 4})},
                                 [](const auto& inputs, auto& outputs) -> Status {
                                   const float first = inputs[0].numbers[0];
                                   std::vector<float> items(12, first);
                                   if (first == 7) items[4] = kPoison;
                                   outputs[0] = {{3, 4}, items, {}};
                                   return {};
                                 }});
  spec_.stages[0].model = poison;
  spec_.stages[1].max_batch = 8;
  EngineHarness harness(spec_);
  script(1).gate.close();
  const std::uint32_t plug = harness.submit({1});
  ASSERT_TRUE(eventually([&] { return script(1).running == 1; }));
  const std::uint32_t guilty = harness.submit({7});
  const std::uint32_t innocent = harness.submit({5});
  script(1).gate.open();
  EXPECT_EQ(harness.answer(plug).outcome, Outcome::kCompleted);
  const Answer failed = harness.answer(guilty);
  EXPECT_EQ(failed.outcome, Outcome::kFailed);
  EXPECT_EQ(failed.message, "a row is poisoned");
  EXPECT_EQ(harness.answer(innocent).values[0], 18);
  EXPECT_TRUE(harness.drained());
}

TEST_F(EngineItemsFailure, OfTheFanOutStageFailsTheRequestAndMakesNoItems) {
  EngineHarness harness(spec_);
  const Answer answer = harness.infer({kPoison, 2});
  EXPECT_EQ(answer.outcome, Outcome::kFailed);
  EXPECT_EQ(answer.failed_stage, 0u);
  EXPECT_TRUE(harness.drained());
  expect_served(harness);
}

// A fan-out stage whose two outputs have these dims for a row.
std::string message_of(PipelineSpec spec, std::vector<std::int64_t> a,
                       std::vector<std::int64_t> b) {
  spec.stages.resize(1);
  spec.stages[0].model = row_model({{floats("x", {-1, 4})},
                                    {floats("items", {-1, -1, 4}), floats("tags", {-1, -1})},
                                    [&](const auto&, auto& outputs) -> Status {
                                      outputs[0] = {a, std::vector<float>(elements_of(a)), {}};
                                      outputs[1] = {b, std::vector<float>(elements_of(b)), {}};
                                      return {};
                                    },
                                    true});
  spec.outputs = {{"y", {from_stage(0, 0)}, bytes_of(0), ""},
                  {"z", {from_stage(0, 1)}, bytes_of(0), ""}};
  EngineHarness harness(spec);
  const Answer answer = harness.infer({1});
  EXPECT_TRUE(harness.drained());
  return answer.outcome == Outcome::kFailed ? answer.message : "it did not fail";
}

TEST_F(EngineItemsFailure, SaysWhatIsWrongWithTheirShape) {
  EXPECT_EQ(message_of(spec_, {2, 4}, {2}), "it did not fail");
  EXPECT_EQ(message_of(spec_, {0, 4}, {0}), "it did not fail");
  EXPECT_EQ(message_of(spec_, {3, 4}, {2}),
            "outputs 'items' and 'tags' disagree on how many items a row has: 3 and 2");
  EXPECT_EQ(message_of(spec_, {2, 3}, {2}),
            "output 'items' has items of another shape than its model declares");
  EXPECT_EQ(message_of(spec_, {2, 4}, {}), "output 'tags' has no dimension that counts items");
}

TEST_F(EngineItemsRoom, IsTakenUntilTheyAreDone) {
  spec_.max_pending_rows = 4;
  EngineHarness harness(spec_);
  script(1).gate.close();
  const std::uint32_t index = harness.submit({4});
  ASSERT_TRUE(eventually([&] { return harness.engine().stats().pending_rows == 5; }));
  EXPECT_EQ(harness.try_submit({1}).refusal, SubmitResult::Refusal::kQueueFull);
  script(1).gate.open();
  EXPECT_EQ(harness.answer(index).values[0], sum_of(4));
  EXPECT_TRUE(harness.drained());
  expect_served(harness);
}

TEST_F(EngineItemsRoom, IsTakenByNoneThatNobodyRuns) {
  spec_.stages.resize(1);
  spec_.outputs[0].sources = {from_stage(0, kItems)};
  spec_.max_pending_rows = 4;
  EngineHarness harness(spec_);
  EXPECT_TRUE(starts_with(harness.infer({50}), items_of({50})));
  EXPECT_EQ(harness.engine().stats().pending_rows, 0u);
}

TEST_F(EngineItemsRoom, EndsARequestThatMakesMoreThanAQueueHolds) {
  spec_.max_pending_rows = 2;
  EngineHarness harness(spec_);
  script(1).gate.close();
  const Answer answer = harness.infer({99});
  EXPECT_EQ(answer.outcome, Outcome::kQueueFull);
  EXPECT_EQ(answer.failed_stage, 1u);
  EXPECT_NE(answer.message.find("a fan-out of 99 items"), std::string::npos) << answer.message;
  script(1).gate.open();
  EXPECT_TRUE(harness.drained());
  expect_served(harness);
}

}  // namespace
}  // namespace millrace
