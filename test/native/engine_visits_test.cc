// What requests that ask for it are told of their way: queues, batches and ends.
#include <algorithm>
#include <random>

#include "engine_harness.h"
#include "row_model.h"

namespace millrace {
namespace {

constexpr std::size_t kPlenty = 1 << 20;

SubmitOptions recorded(Nanos deadline = kNever) {
  SubmitOptions options;
  options.deadline = deadline;
  options.record_visits = true;
  return options;
}

// A single stage, held at the gate by a request of its own until it is opened.
class Held {
 public:
  explicit Held(PipelineSpec spec, std::shared_ptr<FakeModel> model)
      : harness(std::move(spec)), model_(std::move(model)) {
    model_->script().gate.close();
    plug_ = harness.submit({100});
    EXPECT_TRUE(eventually([&] { return model_->script().running == 1; }));
  }
  ~Held() { model_->script().gate.open(); }

  void open() {
    model_->script().gate.open();
    harness.answer(plug_);
  }

  EngineHarness harness;

 private:
  const std::shared_ptr<FakeModel> model_;
  std::uint32_t plug_ = 0;
};

std::vector<VisitState> states_of(const Answer& answer) {
  std::vector<VisitState> states;
  for (const SeenVisit& visit : answer.visits) states.push_back(visit.state);
  return states;
}

// Whether each moment of a visit that ran comes after the one before it, and within the request.
testing::AssertionResult is_in_order(const Answer& answer) {
  for (const SeenVisit& visit : answer.visits) {
    if (answer.submitted <= visit.queued && visit.queued <= visit.began &&
        visit.began <= visit.run.began && visit.run.began <= visit.ended &&
        visit.ended <= answer.settled) {
      continue;
    }
    return testing::AssertionFailure()
           << "submitted " << answer.submitted << ", queued " << visit.queued << ", began "
           << visit.began << ", its batch " << visit.run.began << ", ended " << visit.ended
           << ", settled " << answer.settled;
  }
  return testing::AssertionSuccess();
}

TEST(EngineVisits, AreRecordedForNobodyWhoDoesNotAsk) {
  EngineHarness harness(single(fake()));
  const Answer answer = harness.infer({1});
  EXPECT_TRUE(answer.visits.empty());
  EXPECT_EQ(answer.all_visits, 0u);
}

TEST(EngineVisits, AreForgottenWhenARequestIsUsedAgain) {
  EngineHarness harness(single(fake()));
  EXPECT_EQ(harness.infer({1, 2, 3}, recorded()).visits.size(), 3u);
  EXPECT_TRUE(harness.infer({1}).visits.empty());
  EXPECT_EQ(harness.infer({1}, recorded()).visits.size(), 1u);
}

TEST(EngineVisits, TellQueueAndBatchOfEachStage) {
  EngineHarness harness(cascade(fake_adding(1), fake_adding(100)));
  const Answer answer = harness.infer({0.25f}, recorded());
  ASSERT_EQ(answer.visits.size(), 2u);
  EXPECT_TRUE(is_in_order(answer));
  EXPECT_EQ(answer.visits[0].place.stage, 0u);
  EXPECT_EQ(answer.visits[1].place.stage, 1u);
  EXPECT_LE(answer.visits[0].ended, answer.visits[1].queued);
  for (const SeenVisit& visit : answer.visits) {
    EXPECT_EQ(visit.state, VisitState::kRan);
    EXPECT_EQ(visit.place.item, -1);
    EXPECT_EQ(visit.attempts, 1u);
    EXPECT_EQ(visit.run.rows, 1u);
    EXPECT_EQ(visit.run.replica, 0u);
    EXPECT_GT(visit.run.batch, 0u);
  }
  EXPECT_NE(answer.visits[0].run.batch, answer.visits[1].run.batch);
}

TEST(EngineVisits, AreNotMadeOfStagesThatAreSkipped) {
  EngineHarness harness(cascade(fake_adding(1), fake_adding(100)));
  const Answer answer = harness.infer({0.75f}, recorded());
  ASSERT_EQ(answer.visits.size(), 1u);
  EXPECT_EQ(answer.visits[0].place.stage, 0u);
}

TEST(EngineVisits, NameTheBatchThatRowsShared) {
  const auto model = fake();
  Held held(single(model), model);
  const std::uint32_t first = held.harness.submit({1, 2}, recorded());
  const std::uint32_t other = held.harness.submit({3});
  const std::uint32_t last = held.harness.submit({4}, recorded());
  held.open();
  const Answer one = held.harness.answer(first);
  const Answer two = held.harness.answer(last);
  held.harness.answer(other);
  ASSERT_EQ(one.visits.size(), 2u);
  ASSERT_EQ(two.visits.size(), 1u);
  EXPECT_EQ(one.visits[0].run.batch, two.visits[0].run.batch);
  EXPECT_EQ(one.visits[1].run.batch, two.visits[0].run.batch);
  EXPECT_EQ(two.visits[0].run.rows, 4u) << "those of requests that do not ask count, too";
  EXPECT_EQ(one.visits[0].place.row, 0u);
  EXPECT_EQ(one.visits[1].place.row, 1u);
}

TEST(EngineVisits, TellWhoRanABatchAndWithHowManyThreads) {
  PipelineSpec spec = single(fake());
  spec.stages[0].threads = 2;
  EngineHarness harness(std::move(spec));
  EXPECT_EQ(harness.infer({1}, recorded()).visits[0].run.threads, 2u);
  const auto next = fake();
  StageChange change;
  change.model = next;
  change.threads = 3;
  ASSERT_TRUE(harness.engine().reconfigure({&change, 1}).ok());
  const Answer answer = harness.infer({1}, recorded());
  EXPECT_EQ(answer.visits[0].run.threads, 3u);
  EXPECT_EQ(answer.visits[0].run.replica, 1u) << "the new one sat down beside the old one";
}

TEST(EngineVisits, CountTheRunsOfRowsWhoseBatchFailed) {
  const auto model = fake();
  Held held(single(model), model);
  const std::uint32_t good = held.harness.submit({1}, recorded());
  const std::uint32_t bad = held.harness.submit({kPoison}, recorded());
  held.open();
  const Answer right = held.harness.answer(good);
  const Answer wrong = held.harness.answer(bad);
  EXPECT_EQ(states_of(right), (std::vector{VisitState::kRan}));
  EXPECT_EQ(states_of(wrong), (std::vector{VisitState::kFailed}));
  for (const Answer& answer : {right, wrong}) {
    EXPECT_EQ(answer.visits[0].attempts, 2u);
    EXPECT_EQ(answer.visits[0].run.rows, 1u) << "of the last run";
    EXPECT_LT(answer.visits[0].began, answer.visits[0].run.began);
    EXPECT_TRUE(is_in_order(answer));
  }
  EXPECT_NE(right.visits[0].run.batch, wrong.visits[0].run.batch);
}

TEST(EngineVisits, ShowWhereARequestWaitedThatExpired) {
  const auto model = fake();
  PipelineSpec spec = single(model);
  spec.shed = false;
  Held held(std::move(spec), model);
  const std::uint32_t late = held.harness.submit({1}, recorded(held.harness.in(5 * kMs)));
  held.harness.expires = true;
  const Answer answer = held.harness.answer(late);
  EXPECT_EQ(answer.outcome, Outcome::kDeadlineExceeded);
  ASSERT_EQ(states_of(answer), (std::vector{VisitState::kWaiting}));
  EXPECT_LE(answer.submitted, answer.visits[0].queued);
}

TEST(EngineVisits, ShowWhereARequestIsThatIsStillPending) {
  const auto model = fake();
  model->script().gate.close();
  EngineHarness harness(single(model));
  const std::uint32_t running = harness.submit({1}, recorded());
  ASSERT_TRUE(eventually([&] { return model->script().running == 1; }));
  const std::uint32_t waiting = harness.submit({2}, recorded());
  const std::uint32_t untold = harness.submit({3});
  EXPECT_EQ(visits_of(*harness.engine().recorded(running))[0].state, VisitState::kRunning);
  EXPECT_EQ(visits_of(*harness.engine().recorded(waiting))[0].state, VisitState::kWaiting);
  EXPECT_EQ(harness.engine().recorded(untold), nullptr);
  EXPECT_EQ(harness.engine().recorded(1000), nullptr);
  EXPECT_TRUE(harness.engine().cancel(waiting));
  model->script().gate.open();
  harness.answer(running);
  harness.answer(untold);
}

TEST(EngineVisits, EndWhereAStageSheds) {
  const auto model = fake();
  PipelineSpec spec = single(model);
  spec.shed = false;
  Held held(std::move(spec), model);
  const std::uint32_t late = held.harness.submit({1}, recorded(held.harness.in(kMs)));
  std::this_thread::sleep_for(std::chrono::milliseconds(2));
  held.open();  // it is past its deadline when it is claimed, and nobody has called expire()
  const Answer answer = held.harness.answer(late);
  EXPECT_EQ(answer.outcome, Outcome::kDeadlineExceeded);
  EXPECT_EQ(states_of(answer), (std::vector{VisitState::kShed}));
}

TEST(EngineVisits, SayWhatACacheAnswered) {
  const auto model = fake();
  PipelineSpec spec = single(model);
  spec.stages[0].cache = CacheSpec{kPlenty, kNever};
  Held held(std::move(spec), model);
  const std::uint32_t leads = held.harness.submit({1}, recorded());
  const std::uint32_t shares = held.harness.submit({1}, recorded());
  held.open();
  EXPECT_EQ(states_of(held.harness.answer(leads)), (std::vector{VisitState::kRan}));
  const Answer shared = held.harness.answer(shares);
  EXPECT_EQ(states_of(shared), (std::vector{VisitState::kShared}));
  EXPECT_EQ(shared.visits[0].attempts, 0u);
  EXPECT_LE(shared.visits[0].queued, shared.visits[0].ended);
  EXPECT_EQ(states_of(held.harness.infer({1}, recorded())), (std::vector{VisitState::kHit}));
}

TEST(EngineVisits, SayOfARowThatFollowsOneCancelledThatItShared) {
  const auto model = fake();
  PipelineSpec spec = single(model);
  spec.stages[0].cache = CacheSpec{kPlenty, kNever};
  spec.shed = false;
  Held held(std::move(spec), model);
  const std::uint32_t leads = held.harness.submit({1}, recorded());
  const std::uint32_t follows = held.harness.submit({1}, recorded());
  EXPECT_TRUE(held.harness.engine().cancel(leads));  // and runs all the same, for the other
  held.open();
  const Answer answer = held.harness.answer(follows);
  EXPECT_EQ(answer.outcome, Outcome::kCompleted);
  EXPECT_EQ(states_of(answer), (std::vector{VisitState::kShared}));
}

TEST(EngineVisits, GoOnWhereTheRowThatLedIsShed) {
  const auto model = fake();
  PipelineSpec spec = single(model);
  spec.stages[0].cache = CacheSpec{kPlenty, kNever};
  spec.shed = false;
  Held held(std::move(spec), model);
  const std::uint32_t leads = held.harness.submit({1}, recorded(held.harness.in(kMs)));
  const std::uint32_t follows = held.harness.submit({1}, recorded());
  std::this_thread::sleep_for(std::chrono::milliseconds(2));
  held.open();
  EXPECT_EQ(states_of(held.harness.answer(leads)), (std::vector{VisitState::kShed}));
  const Answer answer = held.harness.answer(follows);
  EXPECT_EQ(answer.outcome, Outcome::kCompleted);
  EXPECT_EQ(states_of(answer), (std::vector{VisitState::kRan}));
}

// A row may attach to a run that ended a moment ago, by a clock that was read before it came.
TEST(EngineVisits, DoNotEndBeforeTheyAreQueued) {
  Visits visits;
  visits.reset(1);
  const std::uint32_t visit = visits.add({}, 20);
  visits.end(visit, 15, VisitState::kShared);
  visits.each([](const Visit& seen, VisitState state) {
    EXPECT_EQ(state, VisitState::kShared);
    EXPECT_EQ(seen.ended, 20);
  });
}

TEST(EngineVisits, SayWhoseItemARowIs) {
  EngineHarness harness(pipeline_of({fan_out_of("split", splitter(), {{from_request()}}),
                                     stage_of("add", fake_adding(1), {{from_stage(0, kItems)}})},
                                    {from_stage(1)}));
  const Answer answer = harness.infer({2, 0, 1}, recorded());
  std::vector<std::pair<std::uint32_t, std::int32_t>> items;
  for (const SeenVisit& visit : answer.visits) {
    if (visit.place.stage == 1) items.emplace_back(visit.place.row, visit.place.item);
  }
  std::ranges::sort(items);
  EXPECT_EQ(items, (std::vector<std::pair<std::uint32_t, std::int32_t>>{{0, 0}, {0, 1}, {2, 0}}));
  EXPECT_EQ(answer.all_visits, 6u);
  EXPECT_TRUE(is_in_order(answer));
}

TEST(EngineVisits, AreBoundedAndCounted) {
  EngineHarness harness(pipeline_of({fan_out_of("split", splitter(), {{from_request()}}),
                                     stage_of("add", fake_adding(1), {{from_stage(0, kItems)}})},
                                    {from_stage(1)}));
  const Answer answer = harness.infer({99, 99, 99, 99, 99}, recorded());
  EXPECT_EQ(answer.outcome, Outcome::kCompleted);
  EXPECT_EQ(answer.visits.size(), Visits::kMost);
  EXPECT_EQ(answer.all_visits, 5u + 5 * 99);
}

TEST(EngineVisits, AreThereWhenTheEngineCloses) {
  const auto model = fake();
  model->script().gate.close();
  EngineHarness harness(single(model));
  const std::uint32_t running = harness.submit({1}, recorded());
  ASSERT_TRUE(eventually([&] { return model->script().running == 1; }));
  const std::uint32_t waiting = harness.submit({2}, recorded());
  harness.engine().stop(true);
  harness.engine().abandon();
  const Answer ended = harness.answer(running);
  EXPECT_EQ(ended.outcome, Outcome::kClosed);
  EXPECT_EQ(states_of(ended), (std::vector{VisitState::kFailed}));
  // The replica may have come to it before it was told to end.
  const VisitState other = harness.answer(waiting).visits.at(0).state;
  EXPECT_TRUE(other == VisitState::kWaiting || other == VisitState::kFailed);
}

// Many requests, most of them recorded, cancelled and expired while replicas write: for the thread
// sanitizer, and for the order of what is told.
TEST(EngineVisits, AreWholeWhateverHappensMeanwhile) {
  const auto fast = fake_adding(1);
  const auto accurate = fake_adding(100);
  PipelineSpec spec = cascade(fast, accurate);
  for (StageSpec& stage : spec.stages) stage.replicas = 2;
  spec.stages[1].cache = CacheSpec{kPlenty, kNever};
  spec.shed = false;
  EngineHarness harness(std::move(spec));
  harness.expires = true;
  std::mt19937 random(7);
  for (int round = 0; round < 300; ++round) {
    std::vector<std::uint32_t> pending;
    for (int i = 0; i < 16; ++i) {
      SubmitOptions options = recorded(random() % 4 == 0 ? harness.in(50'000) : kNever);
      options.record_visits = random() % 4 != 0;
      const float first = static_cast<float>(random() % 100) / 100;
      const SubmitResult result = random() % 50 == 0
                                      ? harness.try_submit({first, kPoison, 0.1f}, options)
                                      : harness.try_submit({first, 0.1f}, options);
      if (result.refusal == EngineHarness::Refusal::kNone) pending.push_back(result.index);
    }
    for (std::size_t i = 0; i < pending.size(); ++i) {
      if (const Request* request = harness.engine().recorded(pending[i])) visits_of(*request);
      const bool cancels = random() % 4 == 0 && !harness.answered(pending[i]);
      if (cancels && harness.engine().cancel(pending[i])) continue;
      const Answer answer = harness.answer(pending[i]);
      EXPECT_LE(answer.visits.size(), 6u);
      for (const SeenVisit& visit : answer.visits) {
        EXPECT_LE(answer.submitted, visit.queued);
        EXPECT_LE(visit.run.batch == 0 ? visit.queued : visit.run.began,
                  visit.state > VisitState::kRunning ? visit.ended : kNever);
      }
    }
  }
  EXPECT_TRUE(harness.drained());
}

}  // namespace
}  // namespace millrace
