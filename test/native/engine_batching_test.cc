// The engine forms batches: what runs together, from where, in which order, and how long it waits.
#include "engine_harness.h"

namespace millrace {
namespace {

constexpr std::size_t kRowBytes = kWidth * sizeof(float);

// Holds the only replica in a batch of one, so that what comes next piles up behind it.
class Plug {
 public:
  Plug(EngineHarness& harness, FakeModel& model) : harness_(harness), model_(model) {
    model_.script().gate.close();
    const int runs = model_.script().runs;
    index_ = harness_.submit({0.75f});
    EXPECT_TRUE(eventually([&] { return model_.script().runs == runs + 1; }));
  }
  void pull() {
    model_.script().gate.open();
    EXPECT_TRUE(adds(harness_.answer(index_), {0.75f}, 1));
  }

 private:
  EngineHarness& harness_;
  FakeModel& model_;
  std::uint32_t index_;
};

std::vector<float> numbers(std::size_t count, float first = 1) {
  std::vector<float> all;
  for (std::size_t i = 0; i < count; ++i) all.push_back(first + static_cast<float>(i));
  return all;
}

TEST(EngineBatch, IsWhatPiledUpWhileTheReplicaWasBusy) {
  const auto model = fake();
  EngineHarness harness(single(model));
  Plug plug(harness, *model);
  std::vector<std::uint32_t> indices;
  for (const float n : numbers(5)) indices.push_back(harness.submit({n}));
  plug.pull();
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_TRUE(adds(harness.answer(indices[i]), {numbers(5)[i]}, 1));
  }
  ASSERT_EQ(model->script().runs, 2);
  EXPECT_EQ(model->script().batches()[1].firsts, numbers(5)) << "in order of arrival";
}

TEST(EngineBatch, IsNeverLargerThanItsLimit) {
  const auto model = fake();
  EngineHarness harness(single(model));
  Plug plug(harness, *model);
  const std::uint32_t index = harness.submit(numbers(20));
  plug.pull();
  EXPECT_TRUE(adds(harness.answer(index), numbers(20), 1));
  for (const FakeBatch& batch : model->script().batches()) EXPECT_LE(batch.dims[0], 8);
  EXPECT_EQ(model->script().runs, 4);
}

TEST(EngineBatch, LiesInTheArenaWithoutACopy) {
  const auto model = fake();
  EngineHarness harness(single(model));
  Plug plug(harness, *model);
  const std::uint32_t first = harness.submit(numbers(3));
  const std::uint32_t second = harness.submit(numbers(8, 10));
  plug.pull();
  EXPECT_TRUE(adds(harness.answer(first), numbers(3), 1));
  EXPECT_TRUE(adds(harness.answer(second), numbers(8, 10), 1));
  const auto batches = model->script().batches();
  ASSERT_EQ(batches.size(), 3u);
  const auto at = [&](std::size_t i) { return static_cast<const std::byte*>(batches[i].data); };
  EXPECT_EQ(at(1), at(0) + kRowBytes) << "behind the row that came before";
  EXPECT_EQ(at(2), at(1) + 8 * kRowBytes);
  EXPECT_EQ(harness.stage().gathered, 0u);
}

TEST(EngineBatch, IsGatheredWhereItRunsOverTheEndOfTheRing) {
  const auto model = fake();
  PipelineSpec spec = single(model);
  spec.max_pending_rows = 8;  // a ring of 16
  EngineHarness harness(spec);
  harness.infer(numbers(7));
  harness.infer(numbers(6));
  EXPECT_EQ(harness.stage().gathered, 0u);
  Plug plug(harness, *model);  // takes the slot before the last two
  const std::uint32_t index = harness.submit(numbers(5, 20));
  plug.pull();
  EXPECT_TRUE(adds(harness.answer(index), numbers(5, 20), 1));
  EXPECT_EQ(model->script().batches().back().firsts, numbers(5, 20));
  EXPECT_EQ(harness.stage().gathered, 1u);
  harness.infer(numbers(4));
  EXPECT_EQ(harness.stage().gathered, 1u) << "the next lap is in one piece again";
}

TEST(EngineBatch, IsGatheredAroundARowThatWasDropped) {
  const auto model = fake();
  EngineHarness harness(single(model));
  Plug plug(harness, *model);
  const std::uint32_t first = harness.submit({1});
  const std::uint32_t dropped = harness.submit({2});
  const std::uint32_t third = harness.submit({3});
  EXPECT_TRUE(harness.engine().cancel(dropped));
  plug.pull();
  EXPECT_TRUE(adds(harness.answer(first), {1}, 1));
  EXPECT_TRUE(adds(harness.answer(third), {3}, 1));
  EXPECT_EQ(model->script().batches().back().firsts, (std::vector<float>{1, 3}));
  EXPECT_EQ(harness.stage().gathered, 1u);
  EXPECT_EQ(harness.stage().skipped, 1u);
}

TEST(EngineBatch, MixesPriorityClassesHighestFirst) {
  const auto model = fake();
  EngineHarness harness(single(model));
  Plug plug(harness, *model);
  std::vector<std::uint32_t> indices;
  for (const int priority : {2, 1, 0, 2, 0}) {
    SubmitOptions options;
    options.priority = static_cast<std::uint8_t>(priority);
    indices.push_back(harness.submit({static_cast<float>(priority + 1)}, options));
  }
  plug.pull();
  for (const std::uint32_t index : indices) {
    EXPECT_EQ(harness.answer(index).outcome, Outcome::kCompleted);
  }
  EXPECT_EQ(model->script().batches().back().firsts, (std::vector<float>{1, 1, 2, 3, 3}));
  EXPECT_EQ(harness.stage().gathered, 1u);
}

TEST(EnginePriority, ServesHigherClassesFirstWhereNotAllFit) {
  const auto model = fake();
  PipelineSpec spec = single(model);
  spec.stages[0].max_batch = 1;
  EngineHarness harness(spec);
  Plug plug(harness, *model);
  std::vector<std::uint32_t> indices;
  for (const int priority : {2, 1, 0}) {
    SubmitOptions options;
    options.priority = static_cast<std::uint8_t>(priority);
    indices.push_back(harness.submit({static_cast<float>(priority + 1)}, options));
  }
  plug.pull();
  for (const std::uint32_t index : indices) harness.answer(index);
  std::vector<std::uint32_t> reversed(indices.rbegin(), indices.rend());
  harness.order.erase(harness.order.begin());
  EXPECT_EQ(harness.order, reversed);
}

TEST(EngineDelay, HoldsARowBackUntilTheBatchIsFull) {
  const auto model = fake();
  PipelineSpec spec = single(model);
  spec.stages[0].max_batch = 4;
  spec.stages[0].max_delay = 60'000 * kMs;
  EngineHarness harness(spec);
  const std::uint32_t first = harness.submit({1, 2, 3});
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_FALSE(harness.answered(first));
  const std::uint32_t second = harness.submit({4});
  EXPECT_TRUE(adds(harness.answer(first), {1, 2, 3}, 1));
  EXPECT_TRUE(adds(harness.answer(second), {4}, 1));
  EXPECT_EQ(model->script().runs, 1);
}

TEST(EngineDelay, RunsWhatCameWhenItIsOver) {
  const auto model = fake();
  PipelineSpec spec = single(model);
  spec.stages[0].max_delay = 20 * kMs;
  EngineHarness harness(spec);
  const Nanos began = harness.clock.now();
  EXPECT_TRUE(adds(harness.infer({1, 2}), {1, 2}, 1));
  EXPECT_GE(harness.clock.now() - began, 20 * kMs);
  EXPECT_EQ(model->script().runs, 1);
}

// Held for its whole delay, it would be shed.
TEST(EngineDelay, LeavesTimeToMeetTheDeadline) {
  const auto model = fake();
  PipelineSpec spec = single(model);
  spec.stages[0].max_delay = 60'000 * kMs;
  EngineHarness harness(spec);
  SubmitOptions options;
  options.deadline = harness.in(200 * kMs);
  EXPECT_TRUE(adds(harness.infer({1}, options), {1}, 1));
}

TEST(EngineDelay, EndsForATighterDeadlineThatComesWhileAReplicaHoldsABatch) {
  const auto model = fake();
  PipelineSpec spec = single(model);
  spec.stages[0].max_delay = 60'000 * kMs;
  EngineHarness harness(spec);
  const std::uint32_t patient = harness.submit({1});
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  SubmitOptions urgent;
  urgent.priority = 0;
  urgent.deadline = harness.in(200 * kMs);
  EXPECT_TRUE(adds(harness.infer({2}, urgent), {2}, 1));
  EXPECT_TRUE(adds(harness.answer(patient), {1}, 1)) << "it goes along";
  EXPECT_EQ(model->script().runs, 1);
}

// One replica takes a full batch out of the middle of what waits; the other must see to the rest.
TEST(EngineDelay, IsKeptByAnotherReplicaForWhatAFullBatchLeavesBehind) {
  const auto model = fake();
  PipelineSpec spec = single(model);
  spec.stages[0].max_batch = 4;
  spec.stages[0].max_delay = 10 * kMs;
  spec.stages[0].replicas = 2;
  EngineHarness harness(spec);
  for (int round = 0; round < 10; ++round) {
    model->script().gate.close();
    const int runs = model->script().runs;
    const std::uint32_t first = harness.submit({1});
    const std::uint32_t second = harness.submit({2, 3, 4, 5});
    EXPECT_TRUE(eventually([&] { return model->script().running == 2; }))
        << "the fifth row waits for a batch that may run for ever";
    model->script().gate.open();
    EXPECT_TRUE(adds(harness.answer(first), {1}, 1));
    EXPECT_TRUE(adds(harness.answer(second), {2, 3, 4, 5}, 1));
    EXPECT_EQ(model->script().runs, runs + 2);
  }
}

PipelineSpec open_shapes(const std::shared_ptr<FakeModel>& model) {
  PipelineSpec spec = single(model);
  spec.inputs[0].dims = {-1, -1};
  return spec;
}

std::shared_ptr<FakeModel> open_model() {
  FakeOptions options;
  options.width = -1;
  return fake(options);
}

TEST(EngineShapes, BatchRowsOfEqualShapeOnly) {
  const auto model = open_model();
  EngineHarness harness(open_shapes(model));
  model->script().gate.close();
  const std::uint32_t plug = harness.submit_open({0}, {1});
  ASSERT_TRUE(eventually([&] { return model->script().runs == 1; }));
  const std::vector<std::vector<float>> rows{{1, 2}, {3, 4}, {5, 6, 7}, {8, 9, 10}, {11}, {12, 13}};
  std::vector<std::uint32_t> indices;
  for (const auto& row : rows) {
    indices.push_back(harness.submit_open(row, {static_cast<std::int64_t>(row.size())}));
  }
  model->script().gate.open();
  harness.answer(plug);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    std::vector<float> wanted = rows[i];
    for (float& value : wanted) value += 1;
    EXPECT_EQ(harness.answer(indices[i]).values, wanted);
  }
  std::vector<std::vector<std::int64_t>> dims;
  for (const FakeBatch& batch : model->script().batches()) dims.push_back(batch.dims);
  EXPECT_EQ(dims, (std::vector<std::vector<std::int64_t>>{{1, 1}, {3, 2}, {2, 3}, {1, 1}}));
  EXPECT_EQ(harness.stage().retries, 0u);
}

TEST(EngineShapes, OccupyAnotherReplicaWithWhatDoesNotFitTheFirstBatch) {
  const auto model = open_model();
  PipelineSpec spec = open_shapes(model);
  spec.stages[0].replicas = 2;
  EngineHarness harness(spec);
  model->script().gate.close();
  const std::uint32_t first = harness.submit_open({1, 2}, {2});
  const std::uint32_t second = harness.submit_open({1, 2, 3}, {3});
  EXPECT_TRUE(eventually([&] { return model->script().running == 2; }));
  model->script().gate.open();
  EXPECT_EQ(harness.answer(first).values, (std::vector<float>{2, 3}));
  EXPECT_EQ(harness.answer(second).values, (std::vector<float>{2, 3, 4}));
}

}  // namespace
}  // namespace millrace
