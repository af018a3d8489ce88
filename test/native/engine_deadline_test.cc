// The engine answers in time, or says that it cannot; and lets go of what nobody waits for.
#include "engine_harness.h"

namespace millrace {
namespace {

using Refusal = SubmitResult::Refusal;

// One replica, in a batch that lasts until the gate is opened.
class EngineBusyTest : public testing::Test {
 protected:
  EngineBusyTest() {
    model_->script().gate.close();
    running_ = harness_.submit({100});
    EXPECT_TRUE(eventually([&] { return model_->script().runs == 1; }));
  }
  SubmitOptions within(Nanos left) {
    SubmitOptions options;
    options.deadline = harness_.in(left);
    return options;
  }
  void open() { model_->script().gate.open(); }

  const std::shared_ptr<FakeModel> model_ = fake();
  EngineHarness harness_{single(model_)};
  std::uint32_t running_ = 0;
};

using EngineDeadline = EngineBusyTest;
using EngineCancel = EngineBusyTest;

TEST_F(EngineDeadline, RefusesARequestWhoseDeadlineHasPassed) {
  EXPECT_EQ(harness_.try_submit({1}, within(0)).refusal, Refusal::kDeadlinePassed);
  EXPECT_EQ(harness_.try_submit({1}, within(-5 * kMs)).refusal, Refusal::kDeadlinePassed);
  open();
  harness_.answer(running_);
  EXPECT_EQ(model_->script().seen(1), 0);
}

TEST_F(EngineDeadline, AnswersARequestThatWaitsWhenItsTimeIsUp) {
  const SubmitOptions options = within(30 * kMs);
  const std::uint32_t index = harness_.submit({1}, options);
  EXPECT_LE(harness_.engine().expire(), options.deadline);
  EXPECT_FALSE(harness_.answered(index));
  harness_.expires = true;
  EXPECT_EQ(harness_.answer(index).outcome, Outcome::kDeadlineExceeded);
  EXPECT_GE(harness_.clock.now(), options.deadline);
  EXPECT_EQ(harness_.engine().expire(), kNever);
}

TEST_F(EngineDeadline, NeverRunsWhatExpiredInTheQueue) {
  const std::uint32_t index = harness_.submit({1, 2}, within(5 * kMs));
  harness_.expires = true;
  EXPECT_EQ(harness_.answer(index).outcome, Outcome::kDeadlineExceeded);
  open();
  harness_.answer(running_);
  EXPECT_TRUE(harness_.drained());
  EXPECT_EQ(model_->script().seen(1), 0);
  EXPECT_EQ(harness_.stage().skipped, 2u);
}

TEST_F(EngineDeadline, ShedsWhatAReplicaReachesTooLateEvenIfNobodyCallsExpire) {
  const SubmitOptions options = within(5 * kMs);
  const std::uint32_t index = harness_.submit({1}, options);
  std::this_thread::sleep_for(std::chrono::milliseconds(7));
  open();
  EXPECT_EQ(harness_.answer(index).outcome, Outcome::kDeadlineExceeded);
  EXPECT_EQ(model_->script().seen(1), 0);
  EXPECT_EQ(harness_.stage().shed, 1u);
}

TEST_F(EngineDeadline, AnswersWhatIsShedBeforeTheBatchItWasTakenWith) {
  const std::uint32_t late = harness_.submit({1}, within(5 * kMs));
  const std::uint32_t patient = harness_.submit({2});
  std::this_thread::sleep_for(std::chrono::milliseconds(7));
  model_->script().service_ns = 100 * kMs;
  open();
  EXPECT_EQ(harness_.answer(late).outcome, Outcome::kDeadlineExceeded);
  EXPECT_FALSE(harness_.answered(patient));
  EXPECT_TRUE(adds(harness_.answer(patient), {2}, 1));
}

TEST_F(EngineDeadline, AnswersARequestWhoseBatchRunsTooLong) {
  open();
  harness_.answer(running_);
  model_->script().gate.close();
  const std::uint32_t index = harness_.submit({1}, within(100 * kMs));
  ASSERT_TRUE(eventually([&] { return model_->script().running == 1; }));
  harness_.expires = true;
  EXPECT_EQ(harness_.answer(index).outcome, Outcome::kDeadlineExceeded);
  EXPECT_TRUE(eventually([&] { return model_->script().running == 0; })) << "it is interrupted";
  open();
  EXPECT_TRUE(harness_.drained());
  EXPECT_TRUE(adds(harness_.infer({2}), {2}, 1));
}

TEST_F(EngineDeadline, IsForgottenOnceTheRequestIsAnswered) {
  const std::uint32_t index = harness_.submit({1}, within(60'000 * kMs));
  EXPECT_NE(harness_.engine().expire(), kNever);
  open();
  EXPECT_TRUE(adds(harness_.answer(index), {1}, 1));
  EXPECT_EQ(harness_.engine().expire(), kNever);
}

TEST_F(EngineDeadline, TravelsWithTheRequestFromStageToStage) {
  const auto second = fake_adding(10);
  const auto first = fake_adding(1);
  EngineHarness harness(pipeline_of(
      {stage_of("a", first, {{from_request()}}), stage_of("b", second, {{from_stage(0)}})},
      {from_stage(1)}));
  first->script().service_ns = 30 * kMs;
  SubmitOptions options;
  options.deadline = harness.in(20 * kMs);
  EXPECT_EQ(harness.infer({1}, options).outcome, Outcome::kDeadlineExceeded);
  EXPECT_EQ(second->script().runs, 0) << "what the first stage used up is gone";
  EXPECT_EQ(harness.stage(1).shed, 1u);
}

TEST_F(EngineCancel, AnswersAtOnceAndIsNotCollected) {
  const std::uint32_t index = harness_.submit({1});
  EXPECT_TRUE(harness_.engine().cancel(index));
  EXPECT_EQ(harness_.engine().pending(), 1u);
  open();
  harness_.answer(running_);
  EXPECT_TRUE(harness_.drained());
  EXPECT_FALSE(harness_.answered(index));
}

TEST_F(EngineCancel, NeverRunsWhatWaits) {
  const std::uint32_t index = harness_.submit({1, 2, 3});
  EXPECT_TRUE(harness_.engine().cancel(index));
  open();
  EXPECT_TRUE(harness_.drained());
  EXPECT_EQ(model_->script().seen(1), 0);
  EXPECT_EQ(harness_.stage().skipped, 3u);
  EXPECT_EQ(model_->script().runs, 1);
}

TEST_F(EngineCancel, LetsARunningBatchEndForTheOthers) {
  const std::uint32_t leaves = harness_.submit({1});
  const std::uint32_t stays = harness_.submit({2});
  // Lets the plug go, and holds the batch of both.
  model_->script().service_ns = 100 * kMs;
  open();
  ASSERT_TRUE(eventually([&] { return model_->script().runs == 2; }));
  EXPECT_TRUE(harness_.engine().cancel(leaves));
  EXPECT_TRUE(adds(harness_.answer(stays), {2}, 1));
  EXPECT_EQ(model_->script().runs, 2);
}

TEST_F(EngineCancel, AnswersWhileTheRequestRuns) {
  EXPECT_TRUE(harness_.engine().cancel(running_));
  EXPECT_EQ(harness_.engine().pending(), 0u);
  open();
  EXPECT_TRUE(harness_.drained());
  EXPECT_EQ(harness_.collect(), 0u);
  EXPECT_TRUE(adds(harness_.infer({2}), {2}, 1));
}

TEST_F(EngineCancel, StopsARequestBetweenStages) {
  const auto second = fake_adding(100);
  const auto first = fake_adding(1);
  EngineHarness harness(cascade(first, second));
  first->script().gate.close();
  const std::uint32_t index = harness.submit({0.1f});
  ASSERT_TRUE(eventually([&] { return first->script().running == 1; }));
  EXPECT_TRUE(harness.engine().cancel(index));
  first->script().gate.open();
  EXPECT_TRUE(harness.drained());
  EXPECT_EQ(second->script().runs, 0);
}

TEST_F(EngineCancel, ComesTooLateForARequestThatIsSettled) {
  open();
  EXPECT_TRUE(eventually([&] { return harness_.wake_ups == 1; }));
  EXPECT_FALSE(harness_.engine().cancel(running_)) << "completed and not collected";
  EXPECT_TRUE(adds(harness_.answer(running_), {100}, 1));
  EXPECT_FALSE(harness_.engine().cancel(running_)) << "collected";
  EXPECT_FALSE(harness_.engine().cancel(12'345)) << "no such request";
}

TEST_F(EngineCancel, WorksOnce) {
  const std::uint32_t index = harness_.submit({1});
  EXPECT_TRUE(harness_.engine().cancel(index));
  EXPECT_FALSE(harness_.engine().cancel(index));
  open();
}

TEST_F(EngineCancel, ForgetsTheDeadline) {
  const std::uint32_t index = harness_.submit({1}, within(60'000 * kMs));
  EXPECT_TRUE(harness_.engine().cancel(index));
  EXPECT_EQ(harness_.engine().expire(), kNever);
  open();
}

TEST_F(EngineCancel, GivesTheMemoryBackWhenTheQueueLetsGo) {
  const std::uint32_t index = harness_.submit({1});
  EXPECT_TRUE(harness_.engine().cancel(index));
  EXPECT_NE(harness_.submit({2}), index) << "a queue still refers to it";
  open();
  EXPECT_TRUE(harness_.drained());
}

}  // namespace
}  // namespace millrace
