// Rows of a stage wait in lanes, one a bucket of shapes.
#include "ragged_harness.h"

namespace millrace {
namespace {

constexpr std::size_t kLanes = StageQueue::kShapeLanes;
constexpr Nanos kNow = 1'000 * kMs;

std::vector<std::size_t> batch_rows(EchoModel& model) {
  std::vector<std::size_t> rows;
  for (const EchoBatch& batch : model.script().batches()) rows.push_back(batch.rows);
  rows.erase(rows.begin());  // the plug
  return rows;
}

TEST(EngineLanes, AreOneWhereRowsAreAlike) {
  EngineHarness harness(single(fake()));
  EXPECT_TRUE(adds(harness.infer({1, 2, 3}), {1, 2, 3}, 1));
  EXPECT_EQ(harness.stage().lanes, 1u);
}

TEST(EngineLanes, AreOneWhereRowsRunAlone) {
  const auto model = echo_of({tensor(DataType::kFloat32, {1, -1})});
  PipelineSpec spec = echo_pipeline(model);
  spec.batched = false;
  spec.stages[0].batched = false;
  RaggedHarness harness(model, spec);
  EXPECT_EQ(harness.answer(harness.submit_block({1, 2}, {1, 2})).values,
            (std::vector<float>{1, 2}));
  EXPECT_EQ(harness.answer(harness.submit_block({1}, {1, 1})).values, (std::vector<float>{1}));
  EXPECT_EQ(harness.stage().lanes, 1u);
}

TEST(EngineLanes, AreMadeOnePerBucket) {
  const auto model = echo_sequences();
  RaggedHarness harness(model, padded_pipeline(model));
  for (const std::size_t length : {3, 16, 17, 20, 1000, 3}) {
    harness.answer(harness.submit_row(row_of(1, static_cast<std::size_t>(length))));
  }
  EXPECT_EQ(harness.stage().lanes, 1u + 3u);
}

TEST(EngineLanes, AreMadeOnePerShapeWhereNothingIsPadded) {
  const auto model = echo_sequences();
  RaggedHarness harness(model, echo_pipeline(model));
  for (const std::int64_t length : {3, 4, 5, 3}) {
    EXPECT_EQ(harness.answer(harness.submit_row(row_of(1, static_cast<std::size_t>(length)))).dims,
              (Shape{1, length}));
  }
  EXPECT_EQ(harness.stage().lanes, 1u + 3u);
}

// Lengths come in turn, as they do from many users; a queue in order of arrival would make batches
// of one.
TEST(EngineLanes, FillBatchesFromABacklogOfMixedLengths) {
  const auto model = echo_sequences();
  RaggedHarness harness(model, padded_pipeline(model));
  harness.plug();
  std::vector<std::uint32_t> indices;
  for (std::size_t i = 0; i < 96; ++i) {
    indices.push_back(harness.submit_row(row_of(static_cast<float>(i), 10 + 12 * (i % 6))));
  }
  harness.pull();
  for (std::size_t i = 0; i < indices.size(); ++i) {
    EXPECT_EQ(harness.answer(indices[i]).values, row_of(static_cast<float>(i), 10 + 12 * (i % 6)));
  }
  EXPECT_EQ(batch_rows(*model), std::vector<std::size_t>(12, 8));
}

TEST(EngineLanes, ServeARareLengthBeforeYoungerRowsOfACommonOne) {
  const auto model = echo_sequences();
  RaggedHarness harness(model, padded_pipeline(model));
  harness.plug();
  std::vector<std::uint32_t> common;
  for (int i = 0; i < 12; ++i) common.push_back(harness.submit_row(row_of(1, 8)));
  const std::uint32_t rare = harness.submit_row(row_of(2, 500));
  for (int i = 0; i < 30; ++i) common.push_back(harness.submit_row(row_of(1, 8)));
  harness.pull();
  harness.answer(rare);
  for (const std::uint32_t index : common) harness.answer(index);
  const std::vector<Shape> dims = harness.batch_dims();
  ASSERT_GE(dims.size(), 3u);
  EXPECT_EQ(dims[2], (Shape{1, 500})) << "after what came before it, in full batches";
}

// The highest class never runs dry; a single low row of another length is served all the same.
TEST(EngineLanes, NeverStarveALowClassOfARareLength) {
  const auto model = echo_sequences();
  RaggedHarness harness(model, padded_pipeline(model));
  SubmitOptions high;
  high.priority = 0;
  SubmitOptions low;
  low.priority = 2;
  std::vector<std::uint32_t> busy;
  const auto keep_busy = [&] {
    while (busy.size() < 40) busy.push_back(harness.submit_row(row_of(1, 8), high));
    harness.collect();
    std::erase_if(busy, [&](std::uint32_t index) {
      return harness.answered(index) && harness.answer(index).outcome == Outcome::kCompleted;
    });
  };
  keep_busy();
  const std::uint32_t rare = harness.submit_row(row_of(2, 500), low);
  EXPECT_TRUE(eventually([&] {
    keep_busy();
    return harness.answered(rare);
  }));
  EXPECT_EQ(harness.answer(rare).values, row_of(2, 500));
  for (const std::uint32_t index : busy) harness.answer(index);
}

// One length takes more than its lane holds; the rest waits in the common one.
TEST(EngineLanes, OverflowIntoTheCommonOne) {
  const auto model = echo_sequences();
  PipelineSpec spec = padded_pipeline(model);
  spec.max_pending_rows = 4097 + 20;
  RaggedHarness harness(model, spec);
  harness.plug();
  std::vector<std::uint32_t> indices;
  for (std::size_t i = 0; i < 4096 + 20; ++i) indices.push_back(harness.submit_row(row_of(1, 20)));
  EXPECT_EQ(harness.stage().waiting, 4096u + 20u);
  harness.pull();
  for (const std::uint32_t index : indices) {
    ASSERT_EQ(harness.answer(index).values, row_of(1, 20));
  }
  EXPECT_LE(batch_rows(*model).size(), 4116u / 8 + 2) << "in full batches";
}

TEST(EngineLanes, FillBatchesFromABacklogAsDeepAsTheQueue) {
  const auto model = echo_sequences();
  RaggedHarness harness(model, padded_pipeline(model));
  harness.plug();
  std::vector<std::uint32_t> indices;
  for (std::size_t i = 0; i < 1023; ++i) {
    indices.push_back(harness.submit_row(row_of(static_cast<float>(i), 10 + 30 * (i % 2))));
  }
  harness.pull();
  for (std::size_t i = 0; i < indices.size(); ++i) {
    ASSERT_EQ(harness.answer(indices[i]).values, row_of(static_cast<float>(i), 10 + 30 * (i % 2)));
  }
  EXPECT_EQ(batch_rows(*model).size(), 128u) << "all are full but one";
}

TEST(EngineLanes, AreLimitedAndTheRestSharesTheCommonOne) {
  const auto model = echo_sequences();
  RaggedHarness harness(model, echo_pipeline(model));
  harness.plug();
  std::vector<std::uint32_t> indices;
  constexpr std::size_t kShapes = kLanes + 20;
  for (std::size_t i = 0; i < 3 * kShapes; ++i) {
    indices.push_back(harness.submit_row(row_of(static_cast<float>(i), 2 + i / 3)));
  }
  EXPECT_EQ(harness.stage().waiting, 3 * kShapes);
  EXPECT_EQ(harness.stage().lanes, 1 + kLanes);
  harness.pull();
  for (std::size_t i = 0; i < indices.size(); ++i) {
    EXPECT_EQ(harness.answer(indices[i]).values, row_of(static_cast<float>(i), 2 + i / 3));
  }
  EXPECT_EQ(batch_rows(*model), std::vector<std::size_t>(kShapes, 3)) << "by runs of equal shape";
}

TEST(EngineLanes, AreGivenToANewBucketWhenNothingWaitsInThem) {
  const auto model = echo_sequences();
  RaggedHarness harness(model, echo_pipeline(model));
  for (std::size_t i = 0; i < 2 * kLanes; ++i) {
    harness.answer(harness.submit_row(row_of(1, 2 + i)));
  }
  EXPECT_EQ(harness.stage().lanes, 1 + kLanes);
  harness.plug();
  std::vector<std::uint32_t> indices;
  for (std::size_t i = 0; i < 12; ++i)
    indices.push_back(harness.submit_row(row_of(1, 900 + i % 2)));
  harness.pull();
  for (const std::uint32_t index : indices) harness.answer(index);
  const auto batches = model->script().batches();
  EXPECT_EQ(batches[batches.size() - 1].rows, 6u);
  EXPECT_EQ(batches[batches.size() - 2].rows, 6u);
}

TEST(EngineLanes, ArePushedToByReplicasOfTheStageBefore) {
  const auto first = echo_sequences();
  const auto second = echo_sequences();
  PipelineSpec spec = padded_pipeline(first);
  StageSpec after = spec.stages[0];
  after.name = "after";
  after.model = second;
  after.inputs = {{from_stage(0, 0)}};
  spec.stages[0].replicas = 3;
  after.replicas = 3;
  spec.stages.push_back(after);
  spec.outputs[0].sources = {from_stage(1, 0)};
  RaggedHarness harness(first, spec);
  for (int round = 0; round < 20; ++round) {
    std::vector<std::uint32_t> indices;
    for (std::size_t i = 0; i < 100; ++i) {
      indices.push_back(harness.submit_row(row_of(static_cast<float>(i), i * 7 % 90)));
    }
    for (std::size_t i = 0; i < indices.size(); ++i) {
      const Answer answer = harness.answer(indices[i]);
      ASSERT_EQ(answer.outcome, Outcome::kCompleted);
      ASSERT_EQ(answer.values, row_of(static_cast<float>(i), i * 7 % 90));
    }
  }
  EXPECT_EQ(harness.stage(1).rows, 2000u);
}

// Shapes beyond the limit make lanes change hands all the time, while replicas push and claim.
TEST(EngineLanes, ChangeHandsUnderLoad) {
  const auto first = echo_sequences();
  const auto second = echo_sequences();
  PipelineSpec spec = echo_pipeline(first);
  StageSpec after = spec.stages[0];
  after.name = "after";
  after.model = second;
  after.inputs = {{from_stage(0, 0)}};
  spec.stages[0].replicas = 2;
  after.replicas = 2;
  spec.stages.push_back(after);
  spec.outputs[0].sources = {from_stage(1, 0)};
  RaggedHarness harness(first, spec);
  for (std::size_t round = 0; round < 20; ++round) {
    std::vector<std::uint32_t> indices;
    const auto length = [&](std::size_t i) { return 1 + (i * 13 + round * 31) % 300; };
    for (std::size_t i = 0; i < 100; ++i)
      indices.push_back(harness.submit_row(row_of(3, length(i))));
    for (std::size_t i = 0; i < indices.size(); ++i) {
      ASSERT_EQ(harness.answer(indices[i]).values, row_of(3, length(i)));
    }
  }
  EXPECT_EQ(harness.stage(1).lanes, 1 + kLanes);
}

// A row that is being pushed has a place already. A batch taken for its sake would go without it,
// and leave it to wait for the next.
TEST(EngineLanes, AreNotFullBeforeTheirRowsCanBeTaken) {
  const StageLayout stage;
  Lane lane(stage, 8);
  lane.provide(1);
  BatchingLimits limits;
  limits.max_batch = 2;
  limits.max_delay = 60'000 * kMs;
  const auto pushed = [&](std::uint64_t position) {
    lane.ring(1).publish(position, {kNow, kNever, 0}, {nullptr, 0});
  };
  const auto action = [&] { return decide(lane.view(kNow, limits), limits).action; };
  const std::uint64_t first = lane.ring(1).try_reserve(2).value();
  EXPECT_EQ(action(), Decision::Action::kIdle);
  pushed(first);
  EXPECT_EQ(action(), Decision::Action::kWait);
  pushed(first + 1);
  EXPECT_EQ(action(), Decision::Action::kTake);
}

TEST(EngineLanes, HoldTheirBatchesBackEachForItself) {
  const auto model = echo_sequences();
  PipelineSpec spec = padded_pipeline(model);
  spec.stages[0].max_batch = 2;
  spec.stages[0].max_delay = 60'000 * kMs;
  RaggedHarness harness(model, spec);
  const std::uint32_t waits = harness.submit_row(row_of(1, 100));
  const std::uint32_t a = harness.submit_row(row_of(2, 8));
  const std::uint32_t b = harness.submit_row(row_of(3, 9));
  EXPECT_EQ(harness.answer(a).values, row_of(2, 8));
  EXPECT_EQ(harness.answer(b).values, row_of(3, 9));
  EXPECT_FALSE(harness.answered(waits));
  const std::uint32_t fills = harness.submit_row(row_of(4, 99));
  EXPECT_EQ(harness.answer(waits).values, row_of(1, 100));
  EXPECT_EQ(harness.answer(fills).values, row_of(4, 99));
}

}  // namespace
}  // namespace millrace
