// A stage with a cache: equal rows run once, and nothing else changes.
#include <array>

#include "engine_harness.h"

namespace millrace {
namespace {

constexpr std::size_t kPlenty = 1 << 20;

PipelineSpec cached(const std::shared_ptr<FakeModel>& model, CacheSpec cache = {kPlenty, kNever}) {
  PipelineSpec spec = single(model);
  spec.stages[0].cache = cache;
  return spec;
}

// A stage held at the gate by a row of its own, so that what is submitted meets in the queue.
class HeldEngine {
 public:
  explicit HeldEngine(std::size_t max_pending_rows = 1024, CacheSpec cache = {kPlenty, kNever})
      : harness(spec_of(model, max_pending_rows, cache)) {
    model->script().gate.close();
    plug_ = harness.submit({100});
    EXPECT_TRUE(eventually([&] { return model->script().runs == 1; }));
  }
  ~HeldEngine() { model->script().gate.open(); }

  void open() {
    model->script().gate.open();
    EXPECT_TRUE(adds(harness.answer(plug_), {100}, 1));
  }
  CacheStats cache() { return *harness.stage().cache; }

  const std::shared_ptr<FakeModel> model = fake();
  EngineHarness harness;

 private:
  static PipelineSpec spec_of(const std::shared_ptr<FakeModel>& model, std::size_t rows,
                              CacheSpec cache) {
    PipelineSpec spec = cached(model, cache);
    spec.max_pending_rows = rows;
    return spec;
  }
  std::uint32_t plug_ = 0;
};

TEST(EngineCache, AnswersAnEqualRowWithoutRunningIt) {
  const auto model = fake();
  EngineHarness harness(cached(model));
  EXPECT_TRUE(adds(harness.infer({1}), {1}, 1));
  EXPECT_TRUE(adds(harness.infer({1}), {1}, 1));
  EXPECT_TRUE(adds(harness.infer({2}), {2}, 1));
  EXPECT_EQ(model->script().runs, 2);
  const CacheStats stats = *harness.stage().cache;
  EXPECT_EQ(stats.hits, 1u);
  EXPECT_EQ(stats.misses, 2u);
  EXPECT_EQ(stats.entries, 2u);
  EXPECT_GT(stats.bytes, 2 * 2 * kWidth * sizeof(float));
}

TEST(EngineCache, IsNotThereUnlessAskedFor) {
  const auto model = fake();
  EngineHarness harness(single(model));
  harness.infer({1});
  harness.infer({1});
  EXPECT_EQ(model->script().runs, 2);
  EXPECT_FALSE(harness.stage().cache);
}

TEST(EngineCache, RunsEqualRowsInFlightOnce) {
  HeldEngine held;
  std::vector<std::uint32_t> equals;
  for (int i = 0; i < 5; ++i) equals.push_back(held.harness.submit({1}));
  held.open();
  for (const std::uint32_t index : equals) {
    EXPECT_TRUE(adds(held.harness.answer(index), {1}, 1));
  }
  EXPECT_EQ(held.model->script().seen(1), 1);
  EXPECT_EQ(held.cache().shared, 4u);
}

TEST(EngineCache, SharesWithARowThatRunsAlready) {
  HeldEngine held;
  const std::uint32_t equal = held.harness.submit({100});
  held.open();
  EXPECT_TRUE(adds(held.harness.answer(equal), {100}, 1));
  EXPECT_EQ(held.model->script().seen(100), 1);
}

TEST(EngineCache, AnswersTheRowsOfARequestOneByOne) {
  const auto model = fake();
  EngineHarness harness(cached(model));
  harness.infer({1});
  EXPECT_TRUE(adds(harness.infer({1, 2, 1, 2, 3}), {1, 2, 1, 2, 3}, 1));
  EXPECT_EQ(model->script().seen(1), 1);
  EXPECT_EQ(model->script().seen(2), 1);
  EXPECT_EQ(model->script().seen(3), 1);
}

TEST(EngineCache, OfNoBytesSharesInFlightOnly) {
  HeldEngine held(1024, {0, kNever});
  const std::uint32_t first = held.harness.submit({1});
  const std::uint32_t second = held.harness.submit({1});
  held.open();
  EXPECT_TRUE(adds(held.harness.answer(first), {1}, 1));
  EXPECT_TRUE(adds(held.harness.answer(second), {1}, 1));
  EXPECT_EQ(held.model->script().seen(1), 1);
  held.harness.infer({1});
  EXPECT_EQ(held.model->script().seen(1), 2);
}

TEST(EngineCache, ForgetsAfterTheTimeToLive) {
  const auto model = fake();
  EngineHarness harness(cached(model, {kPlenty, 5 * kMs}));
  harness.infer({1});
  std::this_thread::sleep_for(std::chrono::milliseconds(6));
  harness.infer({1});
  EXPECT_EQ(model->script().runs, 2);
}

TEST(EngineCache, KeepsWithinItsBytes) {
  const auto model = fake();
  EngineHarness harness(cached(model, {4096, kNever}));
  for (int i = 0; i < 100; ++i) harness.infer({static_cast<float>(i)});
  const CacheStats stats = *harness.stage().cache;
  EXPECT_LE(stats.bytes, 4096u);
  EXPECT_EQ(stats.evictions, 100 - stats.entries);
  harness.infer({99});
  EXPECT_EQ(model->script().runs, 100) << "the latest are kept";
}

TEST(EngineCache, ComparesAllInputsOfAStage) {
  const auto join = fake_adding(1000, 2);
  PipelineSpec spec = pipeline_of({stage_of("a", fake_adding(1), {{from_request()}}),
                                   stage_of("join", join, {{from_stage(0)}, {from_request(1)}})},
                                  {from_stage(1)});
  spec.inputs.push_back(spec.inputs[0]);
  spec.stages[1].cache = CacheSpec{kPlenty, kNever};
  EngineHarness harness(std::move(spec));
  const auto infer = [&](float x, float z) {
    const std::vector<float> first = rows_of({x});
    const std::vector<float> second = rows_of({z});
    std::array<CallerInput, 2> inputs;
    inputs[0].data = reinterpret_cast<const std::byte*>(first.data());
    inputs[1].data = reinterpret_cast<const std::byte*>(second.data());
    for (CallerInput& input : inputs) input.row_bytes = kWidth * sizeof(float);
    return harness.answer(harness.engine().submit({}, inputs).index).values[0];
  };
  EXPECT_EQ(infer(1, 2), 1 + 1 + 2 + 1000);
  EXPECT_EQ(infer(1, 3), 1 + 1 + 3 + 1000);
  EXPECT_EQ(infer(1, 2), 1 + 1 + 2 + 1000);
  EXPECT_EQ(join->script().runs, 2);
}

TEST(EngineCache, WorksForEachStageOfACascadeAlone) {
  const auto fast = fake_adding(1);
  const auto accurate = fake_adding(100);
  PipelineSpec spec = cascade(fast, accurate);
  spec.stages[1].cache = CacheSpec{kPlenty, kNever};
  EngineHarness harness(std::move(spec));
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(adds(harness.infer({0.25f, 1}), {0.25f, 1}, {100, 1}));
  }
  EXPECT_EQ(harness.stage(0).rows, 6u) << "in 3 batches, or more where a replica was quick";
  EXPECT_EQ(accurate->script().runs, 1);
}

TEST(EngineCache, OfAFirstStageHandsOnWhatConditionsAndLaterStagesRead) {
  const auto fast = fake_adding(1);
  const auto accurate = fake_adding(100);
  PipelineSpec spec = cascade(fast, accurate);
  spec.stages[0].cache = CacheSpec{kPlenty, kNever};
  EngineHarness harness(std::move(spec));
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(adds(harness.infer({0.25f}), {0.25f}, 100));
    EXPECT_TRUE(adds(harness.infer({1}), {1}, 1));
  }
  EXPECT_EQ(fast->script().runs, 2);
  EXPECT_EQ(accurate->script().runs, 3);
}

TEST(EngineCache, JoinsBranchesThatAreAllCached) {
  const DiamondModels models;
  PipelineSpec spec = diamond(models);
  for (StageSpec& stage : spec.stages) stage.cache = CacheSpec{kPlenty, kNever};
  EngineHarness harness(std::move(spec));
  for (int i = 0; i < 3; ++i) {
    const std::vector<float> values = harness.infer({1}).values;
    ASSERT_EQ(values.size(), kWidth);
    EXPECT_EQ(values[0], (1 + 1 + 10) + (1 + 1 + 100) + 1000);
  }
  EXPECT_EQ(models.d->script().runs, 1);
}

TEST(EngineCache, KnowsRowsOfOpenShapes) {
  FakeOptions options;
  options.width = -1;
  const auto model = fake(options);
  PipelineSpec spec = cached(model);
  spec.inputs[0].dims = {-1, -1};
  EngineHarness harness(std::move(spec));
  const auto infer = [&](const std::vector<float>& row) {
    return harness.answer(harness.submit_open(row, {static_cast<std::int64_t>(row.size())}));
  };
  EXPECT_EQ(infer({1, 2}).values, (std::vector<float>{2, 3}));
  EXPECT_EQ(infer({1, 2, 0}).values, (std::vector<float>{2, 3, 1}));
  const Answer again = infer({1, 2});
  EXPECT_EQ(again.values, (std::vector<float>{2, 3}));
  EXPECT_EQ(again.dims.back(), 2);
  EXPECT_EQ(infer({}).outcome, Outcome::kCompleted);
  EXPECT_EQ(infer({}).outcome, Outcome::kCompleted);
  EXPECT_EQ(model->script().runs, 3);
}

TEST(EngineCache, KnowsStrings) {
  FakeOptions options;
  options.strings = true;
  options.width = 1;
  const auto model = fake(options);
  PipelineSpec spec = cached(model);
  spec.inputs = {{"x", DataType::kString, {-1, 1}}};
  EngineHarness harness(std::move(spec));
  EXPECT_EQ(harness.answer(harness.submit_strings({"a"})).strings.at(0), "a!");
  EXPECT_EQ(harness.answer(harness.submit_strings({"b"})).strings.at(0), "b!");
  EXPECT_EQ(harness.answer(harness.submit_strings({"a"})).strings.at(0), "a!");
  EXPECT_EQ(model->script().runs, 2);
}

TEST(EngineCache, ServesAStageThatIsNotBatched) {
  FakeOptions options;
  options.batched = false;
  const auto model = fake(options);
  PipelineSpec spec = cached(model);
  spec.stages[0].batched = false;
  EngineHarness harness(std::move(spec));
  EXPECT_TRUE(adds(harness.infer({1, 2, 1}), {1, 2, 1}, 1));
  EXPECT_TRUE(adds(harness.infer({2}), {2}, 1));
  EXPECT_EQ(model->script().runs, 2);
}

TEST(EngineCache, FailsEqualRowsInFlightAlikeAndKeepsNoFailure) {
  HeldEngine held;
  const std::uint32_t first = held.harness.submit({kPoison});
  const std::uint32_t second = held.harness.submit({kPoison});
  const std::uint32_t good = held.harness.submit({1});
  held.open();
  for (const std::uint32_t index : {first, second}) {
    const Answer answer = held.harness.answer(index);
    EXPECT_EQ(answer.outcome, Outcome::kFailed);
    EXPECT_EQ(answer.message, "a row is poisoned");
    EXPECT_EQ(answer.failed_stage, 0u);
  }
  EXPECT_TRUE(adds(held.harness.answer(good), {1}, 1));
  const int seen = held.model->script().seen(kPoison);
  EXPECT_EQ(held.harness.infer({kPoison}).outcome, Outcome::kFailed);
  EXPECT_GT(held.model->script().seen(kPoison), seen) << "it was tried again";
  EXPECT_TRUE(held.harness.drained());
}

TEST(EngineCache, FailsTheOthersAlsoWhenTheLeaderWasCancelledDuringTheRun) {
  const auto model = fake();
  EngineHarness harness(cached(model));
  model->script().gate.close();
  const std::uint32_t leader = harness.submit({kPoison});
  ASSERT_TRUE(eventually([&] { return model->script().runs == 1; }));
  const std::uint32_t follower = harness.submit({kPoison});
  EXPECT_TRUE(harness.engine().cancel(leader));
  model->script().gate.open();
  EXPECT_EQ(harness.answer(follower).outcome, Outcome::kFailed);
  EXPECT_TRUE(harness.drained());
}

TEST(EngineCache, KeepsAndSharesTheResultOfALeaderCancelledDuringTheRun) {
  const auto model = fake();
  EngineHarness harness(cached(model));
  model->script().gate.close();
  const std::uint32_t leader = harness.submit({1});
  ASSERT_TRUE(eventually([&] { return model->script().runs == 1; }));
  const std::uint32_t follower = harness.submit({1});
  EXPECT_TRUE(harness.engine().cancel(leader));
  model->script().gate.open();
  EXPECT_TRUE(adds(harness.answer(follower), {1}, 1));
  EXPECT_TRUE(adds(harness.infer({1}), {1}, 1));
  EXPECT_EQ(model->script().runs, 1);
}

TEST(EngineCache, KeepsThePlaceInTheQueueOfACancelledLeader) {
  HeldEngine held;
  const std::uint32_t leader = held.harness.submit({1});
  const std::uint32_t other = held.harness.submit({2});
  const std::uint32_t follower = held.harness.submit({1});
  EXPECT_TRUE(held.harness.engine().cancel(leader));
  held.open();
  EXPECT_TRUE(adds(held.harness.answer(follower), {1}, 1));
  EXPECT_TRUE(adds(held.harness.answer(other), {2}, 1));
  EXPECT_EQ(held.model->script().batches().at(1).firsts, (std::vector<float>{1, 2}));
  EXPECT_EQ(held.harness.stage().skipped, 0u);
}

TEST(EngineCache, ServesTheOthersWhenALeaderIsCancelledInTheQueue) {
  HeldEngine held;
  const std::uint32_t leader = held.harness.submit({1});
  const std::uint32_t gone = held.harness.submit({1});
  const std::uint32_t heir = held.harness.submit({1});
  const std::uint32_t last = held.harness.submit({1});
  EXPECT_TRUE(held.harness.engine().cancel(leader));
  EXPECT_TRUE(held.harness.engine().cancel(gone));
  held.open();
  EXPECT_TRUE(adds(held.harness.answer(heir), {1}, 1));
  EXPECT_TRUE(adds(held.harness.answer(last), {1}, 1));
  EXPECT_EQ(held.model->script().seen(1), 1);
  EXPECT_TRUE(held.harness.drained());
}

TEST(EngineCache, RunsTheNextWantedRowWhenALeaderIsShed) {
  HeldEngine held;
  SubmitOptions soon;
  soon.deadline = held.harness.in(2 * kMs);
  const std::uint32_t leader = held.harness.submit({1}, soon);
  const std::uint32_t heir = held.harness.submit({1});
  std::this_thread::sleep_for(std::chrono::milliseconds(4));
  held.open();
  EXPECT_EQ(held.harness.answer(leader).outcome, Outcome::kDeadlineExceeded);
  EXPECT_TRUE(adds(held.harness.answer(heir), {1}, 1));
  EXPECT_TRUE(held.harness.drained());
}

TEST(EngineCache, RunsNobodyWhenAllLeft) {
  HeldEngine held;
  const std::uint32_t leader = held.harness.submit({1});
  const std::uint32_t follower = held.harness.submit({1});
  EXPECT_TRUE(held.harness.engine().cancel(leader));
  EXPECT_TRUE(held.harness.engine().cancel(follower));
  held.open();
  EXPECT_TRUE(held.harness.drained());
  EXPECT_EQ(held.model->script().seen(1), 0);
}

TEST(EngineCache, LetsAFollowerExpireByItself) {
  HeldEngine held;
  held.harness.expires = true;
  const std::uint32_t leader = held.harness.submit({1});
  SubmitOptions soon;
  soon.deadline = held.harness.in(2 * kMs);
  const std::uint32_t follower = held.harness.submit({1}, soon);
  EXPECT_EQ(held.harness.answer(follower).outcome, Outcome::kDeadlineExceeded);
  held.open();
  EXPECT_TRUE(adds(held.harness.answer(leader), {1}, 1));
  EXPECT_TRUE(held.harness.drained());
}

TEST(EngineCache, AnswersWhileNobodyServes) {
  const auto model = fake();
  EngineHarness harness(cached(model));
  harness.infer({1});
  ASSERT_TRUE(harness.engine().scale(0, 0).ok());
  EXPECT_TRUE(adds(harness.infer({1}), {1}, 1));
  const std::uint32_t waits = harness.submit({2});
  const std::uint32_t attached = harness.submit({2});
  ASSERT_TRUE(harness.engine().scale(0, 1).ok());
  EXPECT_TRUE(adds(harness.answer(waits), {2}, 1));
  EXPECT_TRUE(adds(harness.answer(attached), {2}, 1));
}

TEST(EngineCache, ClosesTheRowsThatAreAttachedWhenTheEngineStops) {
  HeldEngine held;
  std::vector<std::uint32_t> requests;
  for (int i = 0; i < 4; ++i) requests.push_back(held.harness.submit({1}));
  for (int i = 0; i < 3; ++i) requests.push_back(held.harness.submit({100}));
  held.harness.engine().stop(true);
  held.harness.engine().abandon();
  for (const std::uint32_t index : requests) {
    EXPECT_EQ(held.harness.answer(index).outcome, Outcome::kClosed);
  }
  EXPECT_EQ(held.harness.engine().pending(), 0u);
  held.harness.destroy();
}

TEST(EngineCache, IsFreedWithRowsAttached) {
  HeldEngine held;
  for (int i = 0; i < 4; ++i) held.harness.submit({1});
  held.harness.destroy();
}

TEST(EngineCache, RefusesAStageThatMakesOrGathersItems) {
  PipelineSpec spec = cached(fake());
  spec.stages[0].fan_out = true;
  const SteadyClock clock;
  const auto created = Engine::create(std::move(spec), clock, [] {});
  ASSERT_FALSE(created.ok());
  EXPECT_EQ(created.error().code, ErrorCode::kInvalidOption);
  EXPECT_EQ(created.error().message, "stage 'a': a stage that makes items cannot have a cache");
}

}  // namespace
}  // namespace millrace
