// The engine gives rows of different sizes as they are to a model that takes them.
#include "ragged_harness.h"

namespace millrace {
namespace {

std::shared_ptr<EchoModel> ragged() {
  return echo_sequences(true);
}

TEST(EngineRagged, MakesOneBatchOfRowsOfAnySize) {
  const auto model = ragged();
  RaggedHarness harness(model, echo_pipeline(model));
  harness.plug();
  const std::vector<std::size_t> lengths{300, 1, 0, 17, 5};
  std::vector<std::uint32_t> indices;
  for (const std::size_t length : lengths) indices.push_back(harness.submit_row(row_of(1, length)));
  harness.pull();
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    const Answer answer = harness.answer(indices[i]);
    EXPECT_EQ(answer.values, row_of(1, lengths[i]));
    EXPECT_EQ(answer.dims, (Shape{1, static_cast<std::int64_t>(lengths[i])}));
  }
  ASSERT_EQ(model->script().runs, 2);
  EXPECT_EQ(model->script().batches()[1].row_dims[0],
            (std::vector<Shape>{{300}, {1}, {0}, {17}, {5}}));
  EXPECT_EQ(harness.stage().lanes, 1u);
  EXPECT_EQ(harness.stage().gathered, 0u) << "they are given where they lie";
  EXPECT_EQ(harness.stage().padded_elements, 0u);
}

TEST(EngineRagged, StacksInputsOfFixedSize) {
  const auto model =
      echo_of({tensor(DataType::kFloat32, {-1, -1}), tensor(DataType::kFloat32, {-1, 2})}, true);
  PipelineSpec spec = echo_pipeline(model);
  spec.outputs[0].sources = {from_stage(0, 1)};
  RaggedHarness harness(model, spec);
  const auto submit = [&](float first) {
    const std::vector<float> open = row_of(first, static_cast<std::size_t>(first));
    const std::vector<float> fixed{first, -first};
    std::vector<CallerInput> inputs(2);
    inputs[0] = {reinterpret_cast<const std::byte*>(open.data()),
                 nullptr,
                 open.size() * 4,
                 open.size(),
                 {static_cast<std::int64_t>(open.size())}};
    inputs[1] = {reinterpret_cast<const std::byte*>(fixed.data()), nullptr, 8, 2, {}};
    return harness.submit_inputs(inputs);
  };
  model->script().gate.close();
  const std::uint32_t first = submit(1);
  EXPECT_TRUE(eventually([&] { return model->script().runs == 1; }));
  const std::uint32_t a = submit(4);
  const std::uint32_t b = submit(2);
  model->script().gate.open();
  harness.answer(first);
  EXPECT_EQ(harness.answer(a).values, (std::vector<float>{4, -4}));
  EXPECT_EQ(harness.answer(b).values, (std::vector<float>{2, -2}));
  const EchoBatch batch = model->script().batches()[1];
  EXPECT_EQ(batch.dims[1], (Shape{2, 2}));
  EXPECT_EQ(batch.row_dims[0], (std::vector<Shape>{{4}, {2}}));
}

TEST(EngineRagged, FailsARowThatFailedAloneWithItsOwnMessage) {
  const auto model = ragged();
  RaggedHarness harness(model, echo_pipeline(model));
  harness.plug();
  const std::uint32_t a = harness.submit_row({1, 2});
  const std::uint32_t guilty = harness.submit_row({kPoison});
  const std::uint32_t b = harness.submit_row({3});
  harness.pull();
  EXPECT_EQ(harness.answer(a).values, (std::vector<float>{1, 2}));
  EXPECT_EQ(harness.answer(b).values, (std::vector<float>{3}));
  const Answer answer = harness.answer(guilty);
  EXPECT_EQ(answer.outcome, Outcome::kFailed);
  EXPECT_EQ(answer.message, "poisoned");
  EXPECT_EQ(answer.detail, "{\"row\":true}");
  EXPECT_EQ(model->script().runs, 2) << "nothing is run again";
  const StageStats stats = harness.stage();
  EXPECT_EQ(stats.failed, 1u);
  EXPECT_EQ(stats.rows, 3u);
  EXPECT_EQ(stats.retries, 0u);
}

TEST(EngineRagged, FailsEveryRowOfABatchAloneWhereAllDo) {
  const auto model = ragged();
  RaggedHarness harness(model, echo_pipeline(model));
  std::vector<float> rows{kPoison, kPoison, kPoison};
  SubmitOptions options;
  options.rows = 3;
  EXPECT_EQ(harness.answer(harness.submit_block(rows, {1}, options)).outcome, Outcome::kFailed);
  EXPECT_TRUE(harness.drained());
}

// Declared with rows of two, the model is fed, and gives back, whatever came.
TEST(EngineRagged, FailsOnlyTheRowOfAnotherSizeThanDeclared) {
  const auto real = ragged();
  struct Liar final : Model {
    explicit Liar(std::shared_ptr<EchoModel> model) : honest(std::move(model)) {}
    const std::vector<TensorSpec>& inputs() const override { return honest->inputs(); }
    const std::vector<TensorSpec>& outputs() const override { return claims; }
    bool accepts_ragged() const override { return true; }
    Result<std::unique_ptr<Runner>> make_runner(const RunnerOptions& asked) override {
      return honest->make_runner(asked);
    }
    std::shared_ptr<EchoModel> honest;
    std::vector<TensorSpec> claims{tensor(DataType::kFloat32, {-1, 2})};
  };
  PipelineSpec spec = echo_pipeline(real);
  spec.stages[0].model = std::make_shared<Liar>(real);
  RaggedHarness harness(real, spec);
  real->script().gate.close();
  const std::uint32_t first = harness.submit_row({1, 2});
  EXPECT_TRUE(eventually([&] { return real->script().runs == 1; }));
  const std::uint32_t longer = harness.submit_row({3, 4, 5});
  const std::uint32_t right = harness.submit_row({6, 7});
  const std::uint32_t empty = harness.submit_row({});
  real->script().gate.open();
  EXPECT_EQ(harness.answer(first).values, (std::vector<float>{1, 2}));
  EXPECT_EQ(harness.answer(right).values, (std::vector<float>{6, 7}));
  EXPECT_EQ(harness.answer(longer).outcome, Outcome::kFailed);
  const Answer answer = harness.answer(empty);
  EXPECT_EQ(answer.outcome, Outcome::kFailed);
  EXPECT_NE(answer.message.find("another shape"), std::string::npos) << answer.message;
  EXPECT_EQ(real->script().runs, 2);
}

TEST(EngineRagged, WorksForStrings) {
  const auto model = echo_of({tensor(DataType::kString, {-1, -1})}, true);
  RaggedHarness harness(model, echo_pipeline(model));
  const std::vector<std::string> words{"a", "bc", std::string(100, 'd')};
  const auto submit = [&](std::int64_t length) {
    return harness.submit_inputs(
        {{nullptr, words.data(), 0, static_cast<std::size_t>(length), {length}}});
  };
  const std::uint32_t a = submit(3);
  const std::uint32_t b = submit(0);
  EXPECT_EQ(harness.answer(a).strings, words);
  EXPECT_EQ(harness.answer(b).dims, (Shape{1, 0}));
}

TEST(EngineDeadline, GivenToTheModelIsTheEarliestOfTheBatch) {
  const auto model = ragged();
  RaggedHarness harness(model, echo_pipeline(model));
  harness.plug();
  SubmitOptions later;
  later.deadline = harness.in(60'000 * kMs);
  SubmitOptions sooner;
  sooner.deadline = harness.in(50'000 * kMs);
  const std::vector<std::uint32_t> indices{
      harness.submit_row({1}, later), harness.submit_row({2}, sooner), harness.submit_row({3})};
  harness.pull();
  for (const std::uint32_t index : indices) harness.answer(index);
  const auto batches = model->script().batches();
  EXPECT_EQ(batches[0].deadline, kNever);
  EXPECT_EQ(batches[1].deadline, sooner.deadline);
}

TEST(EngineIsolation, WhereItIsOffFailsTheWholeBatchWithoutRunningItAgain) {
  const auto model = echo_sequences();
  model->script().fails = true;
  PipelineSpec spec = padded_pipeline(model);
  spec.stages[0].isolate = false;
  RaggedHarness harness(model, spec);
  harness.plug();
  std::vector<std::uint32_t> indices;
  for (int i = 0; i < 5; ++i) indices.push_back(harness.submit_row({1, 2}));
  harness.pull();
  for (const std::uint32_t index : indices) {
    const Answer answer = harness.answer(index);
    EXPECT_EQ(answer.outcome, Outcome::kFailed);
    EXPECT_EQ(answer.message, "it always fails");
  }
  EXPECT_EQ(model->script().runs, 2);
  EXPECT_EQ(harness.stage().failed, 5u);
  EXPECT_EQ(harness.stage().retries, 0u);
}

// A batch fails as a whole; by then two of its rows have left.
TEST(EngineIsolation, DoesNotRunRowsAgainThatHaveLeftMeanwhile) {
  const auto model = echo_sequences();
  model->script().fails = true;
  PipelineSpec spec = padded_pipeline(model);
  spec.stages[0].max_batch = 3;
  spec.stages[0].max_delay = 60'000 * kMs;
  RaggedHarness harness(model, spec);
  model->script().gate.close();
  SubmitOptions soon;
  soon.deadline = harness.in(300 * kMs);
  const std::uint32_t stays = harness.submit_row({1, 2});
  const std::uint32_t cancelled = harness.submit_row({3, 4});
  const std::uint32_t expires = harness.submit_row({5, 6}, soon);
  ASSERT_TRUE(eventually([&] { return model->script().runs == 1; }));
  EXPECT_TRUE(harness.engine().cancel(cancelled));
  while (harness.clock.now() <= soon.deadline)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  model->script().gate.open();
  EXPECT_EQ(harness.answer(stays).values, (std::vector<float>{1, 2}));
  EXPECT_EQ(harness.answer(expires).outcome, Outcome::kDeadlineExceeded);
  EXPECT_TRUE(harness.drained());
  EXPECT_EQ(harness.stage().skipped, 1u);
  EXPECT_EQ(harness.stage().shed, 1u);
  EXPECT_EQ(model->script().runs, 2) << "the batch, and the row that stays";
}

}  // namespace
}  // namespace millrace
