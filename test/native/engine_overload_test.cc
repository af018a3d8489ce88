// The engine under more load than it can bear: who is refused, who is dropped and where, and that
// it finds out when things have changed.
#include "engine_harness.h"

namespace millrace {
namespace {

using Refusal = SubmitResult::Refusal;

SubmitOptions within(const EngineHarness& harness, Nanos left, std::uint8_t priority = 1) {
  SubmitOptions options;
  options.deadline = harness.in(left);
  options.priority = priority;
  return options;
}

void sleep_ms(int ms) {
  std::this_thread::sleep_for(std::chrono::milliseconds(ms));
}

// One replica, whose batches take 20 ms.
class EngineOverload : public testing::Test {
 protected:
  static constexpr Nanos kService = 20 * kMs;

  static PipelineSpec spec(const std::shared_ptr<FakeModel>& model, std::size_t max_batch) {
    PipelineSpec spec = single(model);
    spec.stages[0].max_batch = max_batch;
    spec.max_pending_rows = 64;
    return spec;
  }
  void learn(EngineHarness& harness) {
    model_->script().service_ns = kService;
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(adds(harness.infer({1}), {1}, 1));
  }
  // A batch that runs until the gate is opened, and rows that wait behind it.
  void crowd(EngineHarness& harness, std::size_t waiting) {
    model_->script().gate.close();
    const int runs = model_->script().runs;
    harness.submit({100});
    ASSERT_TRUE(eventually([&] { return model_->script().runs == runs + 1; }));
    for (std::size_t i = 0; i < waiting; ++i) harness.submit({101});
  }
  void open() { model_->script().gate.open(); }

  const std::shared_ptr<FakeModel> model_ = fake();
};

TEST_F(EngineOverload, RefusesAtOnceWhatWouldWaitTooLong) {
  EngineHarness harness(spec(model_, 1));
  learn(harness);
  crowd(harness, 9);
  const SubmitResult result = harness.try_submit({1}, within(harness, 150 * kMs));
  EXPECT_EQ(result.refusal, Refusal::kTooBusy);
  EXPECT_GT(result.prospect.expected.wait, 150 * kMs);
  EXPECT_GE(result.retry_after, 20 * kMs);
  EXPECT_LT(result.retry_after, 1'000 * kMs);
  EXPECT_EQ(harness.engine().stats().shed, 1u);
  EXPECT_EQ(harness.engine().stats().outcomes[std::size_t(Outcome::kQueueFull)], 0u);
  open();
}

TEST_F(EngineOverload, AdmitsWhatHasTimeOrNeedsNone) {
  EngineHarness harness(spec(model_, 1));
  learn(harness);
  crowd(harness, 9);
  EXPECT_EQ(harness.try_submit({1}, within(harness, 5'000 * kMs)).refusal, Refusal::kNone);
  EXPECT_EQ(harness.try_submit({1}).refusal, Refusal::kNone) << "without a deadline";
  open();
  EXPECT_TRUE(harness.drained());
}

TEST_F(EngineOverload, AdmitsAHigherClassThatNeedNotWait) {
  EngineHarness harness(spec(model_, 1));
  learn(harness);
  crowd(harness, 30);
  EXPECT_EQ(harness.try_submit({1}, within(harness, 300 * kMs, 2)).refusal, Refusal::kTooBusy);
  EXPECT_EQ(harness.try_submit({1}, within(harness, 300 * kMs, 1)).refusal, Refusal::kTooBusy);
  EXPECT_EQ(harness.try_submit({1}, within(harness, 300 * kMs, 0)).refusal, Refusal::kNone);
  open();
}

TEST_F(EngineOverload, CountsTheRowsOfARequest) {
  EngineHarness harness(spec(model_, 1));
  learn(harness);
  const std::vector<float> many(20, 1);
  EXPECT_EQ(harness.try_submit(many, within(harness, 200 * kMs)).refusal, Refusal::kTooLittle);
  EXPECT_EQ(harness.try_submit({1}, within(harness, 200 * kMs)).refusal, Refusal::kNone);
}

TEST_F(EngineOverload, RefusesADeadlineNearerThanItsWork) {
  EngineHarness harness(spec(model_, 1));
  learn(harness);
  const SubmitResult result = harness.try_submit({1}, within(harness, 5 * kMs));
  EXPECT_EQ(result.refusal, Refusal::kTooLittle);
  EXPECT_GE(result.prospect.alone, kService);
  EXPECT_EQ(result.retry_after, kNever) << "a retry would not help";
}

TEST_F(EngineOverload, RefusesNobodyBeforeItKnowsAnything) {
  EngineHarness harness(spec(model_, 1));
  crowd(harness, 40);
  EXPECT_EQ(harness.try_submit({1}, within(harness, kMs)).refusal, Refusal::kNone);
  open();
  EXPECT_TRUE(harness.drained());
}

TEST_F(EngineOverload, RefusesNobodyForAStageWithoutReplicas) {
  EngineHarness harness(spec(model_, 1));
  learn(harness);
  ASSERT_TRUE(harness.engine().scale(0, 0).ok());
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(harness.try_submit({1}, within(harness, 10 * kMs)).refusal, Refusal::kNone);
  }
  ASSERT_TRUE(harness.engine().scale(0, 1).ok());
  EXPECT_TRUE(harness.drained());
}

TEST_F(EngineOverload, RefusesNobodyWhereItIsToldToQueue) {
  PipelineSpec queueing = spec(model_, 1);
  queueing.shed = false;
  EngineHarness harness(queueing);
  learn(harness);
  crowd(harness, 9);
  const std::uint32_t late = harness.submit({1}, within(harness, 50 * kMs));
  const std::uint32_t later = harness.submit({2}, within(harness, 60'000 * kMs));
  sleep_ms(60);
  open();
  EXPECT_EQ(harness.answer(late).outcome, Outcome::kDeadlineExceeded);
  EXPECT_TRUE(adds(harness.answer(later), {2}, 1));
  EXPECT_EQ(model_->script().seen(1), 3) << "what is past its deadline is not run all the same";
}

TEST_F(EngineOverload, FindsOutThatBatchesHaveBecomeQuicker) {
  EngineHarness harness(spec(model_, 1));
  learn(harness);
  model_->script().service_ns = 0;
  EXPECT_EQ(harness.try_submit({1}, within(harness, 10 * kMs)).refusal, Refusal::kTooLittle);
  EXPECT_TRUE(eventually([&] {
    sleep_ms(20);
    const SubmitResult result = harness.try_submit({1}, within(harness, 10 * kMs));
    return result.refusal == Refusal::kNone &&
           harness.answer(result.index).outcome == Outcome::kCompleted;
  })) << "it refuses for ever";
}

TEST_F(EngineOverload, FindsOutThatBatchesHaveBecomeSlower) {
  EngineHarness harness(spec(model_, 1));
  learn(harness);
  model_->script().service_ns = 5 * kService;
  for (int i = 0; i < 4; ++i) harness.infer({1});
  EXPECT_EQ(harness.try_submit({1}, within(harness, 3 * kService)).refusal, Refusal::kTooLittle);
}

TEST_F(EngineOverload, GivesThePlacesOfWhatItShedsToWhatComesBehind) {
  EngineHarness harness(spec(model_, 4));
  crowd(harness, 0);
  for (int i = 0; i < 6; ++i) harness.submit({1}, within(harness, 20 * kMs));
  std::vector<std::uint32_t> patient;
  for (int i = 0; i < 5; ++i) patient.push_back(harness.submit({2}));
  sleep_ms(25);
  open();
  for (const std::uint32_t index : patient) EXPECT_TRUE(adds(harness.answer(index), {2}, 1));
  EXPECT_EQ(model_->script().seen(1), 0);
  EXPECT_EQ(model_->script().batches()[1].firsts, std::vector<float>(4, 2)) << "a full batch";
  EXPECT_EQ(harness.stage().shed, 6u);
}

// A batch in place is told by its ends, so rows must come in the order of their slots.
TEST_F(EngineOverload, GivesEachRowItsOwnAnswerWhereASmallerBatchSavesSome) {
  EngineHarness harness(spec(model_, 8));
  model_->script().service_ns = 800 * kMs;
  for (int i = 0; i < 3; ++i) harness.infer(std::vector<float>(8, 1));
  crowd(harness, 0);
  std::vector<std::uint32_t> indices;
  for (int i = 0; i < 4; ++i) {
    SubmitOptions options;  // four rows take 400 ms, eight 800
    if (i % 2 == 1) options.deadline = harness.in(760 * kMs);
    const SubmitResult result = harness.try_submit({static_cast<float>(i)}, options);
    ASSERT_EQ(result.refusal, Refusal::kNone);
    indices.push_back(result.index);
  }
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(harness.engine().cancel(harness.submit({9})));
  model_->script().service_ns = 0;
  open();
  for (int i = 0; i < 4; ++i) {
    const auto first = static_cast<float>(i);
    EXPECT_TRUE(adds(harness.answer(indices[std::size_t(i)]), {first}, 1)) << i;
  }
}

TEST_F(EngineOverload, AnswersNothingThatCameTooLate) {
  EngineHarness harness(spec(model_, 1));
  model_->script().service_ns = 40 * kMs;
  const Answer late = harness.infer({1}, within(harness, 20 * kMs));
  EXPECT_EQ(late.outcome, Outcome::kDeadlineExceeded) << "although nobody called expire()";
  EXPECT_EQ(harness.engine().stats().outcomes[std::size_t(Outcome::kCompleted)], 0u);
}

TEST_F(EngineOverload, TellsWhenAFullPipelineHasRoom) {
  PipelineSpec small = spec(model_, 1);
  small.max_pending_rows = 4;
  EngineHarness harness(small);
  crowd(harness, 3);
  const SubmitResult early = harness.try_submit({1});
  EXPECT_EQ(early.refusal, Refusal::kQueueFull);
  EXPECT_EQ(early.retry_after, kNever) << "nothing is known yet";
  model_->script().service_ns = kService;
  open();
  EXPECT_TRUE(harness.drained());
  learn(harness);
  crowd(harness, 3);
  const SubmitResult full = harness.try_submit({1, 1});
  EXPECT_EQ(full.refusal, Refusal::kQueueFull);
  EXPECT_GE(full.retry_after, kService);
  EXPECT_LT(full.retry_after, 1'000 * kMs);
  open();
}

TEST_F(EngineOverload, ShedsAtTheFirstStageWhatALaterOneCouldNotFinish) {
  const auto first = fake_adding(1);
  const auto second = fake_adding(10);
  EngineHarness harness(pipeline_of(
      {stage_of("a", first, {{from_request()}}), stage_of("b", second, {{from_stage(0)}})},
      {from_stage(1)}));
  second->script().service_ns = 100 * kMs;
  for (int i = 0; i < 3; ++i) harness.infer({1});
  first->script().gate.close();
  const std::uint32_t plug = harness.submit({100});
  ASSERT_TRUE(eventually([&] { return first->script().running == 1; }));
  const std::uint32_t index = harness.submit({2}, within(harness, 300 * kMs));
  sleep_ms(210);
  first->script().gate.open();
  const Answer answer = harness.answer(index);
  EXPECT_EQ(answer.outcome, Outcome::kDeadlineExceeded);
  EXPECT_EQ(answer.failed_stage, 0u);
  EXPECT_NE(answer.message, "");
  harness.answer(plug);
  EXPECT_EQ(first->script().seen(2), 0);
  EXPECT_EQ(harness.stage(0).shed, 1u);
}

TEST_F(EngineOverload, QueuesNothingForAStageThatCouldNotFinishIt) {
  const auto fast = fake_adding(1);
  const auto accurate = fake_adding(100);
  EngineHarness harness(cascade(fast, accurate));
  accurate->script().service_ns = 100 * kMs;
  for (int i = 0; i < 3; ++i) harness.infer({0.1f});
  accurate->script().gate.close();
  const std::uint32_t plug = harness.submit({0.2f});
  ASSERT_TRUE(eventually([&] { return accurate->script().running == 1; }));
  const std::uint32_t unsure = harness.submit({0.3f}, within(harness, 80 * kMs));
  const std::uint32_t sure = harness.submit({0.9f}, within(harness, 80 * kMs));
  const Answer dropped = harness.answer(unsure);
  EXPECT_EQ(dropped.outcome, Outcome::kDeadlineExceeded);
  EXPECT_EQ(dropped.failed_stage, 1u);
  EXPECT_TRUE(adds(harness.answer(sure), {0.9f}, 1)) << "it never needed that stage";
  EXPECT_EQ(harness.stage(1).shed, 1u);
  accurate->script().gate.open();
  EXPECT_TRUE(adds(harness.answer(plug), {0.2f}, 100));
  EXPECT_EQ(accurate->script().seen(0.3f), 0);
}

}  // namespace
}  // namespace millrace
