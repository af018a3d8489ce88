// The engine batches rows of different sizes: padded to the longest of their bucket, and cut back.
#include "ragged_harness.h"

namespace millrace {
namespace {

const std::vector<std::byte> kFill = bytes_of(-7);

// What a row of a batch of float32 was given as.
std::vector<float> given(const EchoBatch& batch, std::size_t row) {
  const std::size_t elements = batch.bytes[0].size() / sizeof(float) / batch.rows;
  std::vector<float> values(elements);
  std::memcpy(values.data(), batch.bytes[0].data() + row * elements * sizeof(float),
              elements * sizeof(float));
  return values;
}

TEST(EnginePadding, MakesOneBatchOfRowsOfABucketPaddedToTheLongest) {
  const auto model = echo_sequences();
  RaggedHarness harness(model, padded_pipeline(model));
  harness.plug();
  const std::vector<std::size_t> lengths{3, 11, 7, 11, 1};
  std::vector<std::uint32_t> indices;
  for (const std::size_t length : lengths) {
    indices.push_back(harness.submit_row(row_of(static_cast<float>(length), length)));
  }
  harness.pull();
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    const Answer answer = harness.answer(indices[i]);
    EXPECT_EQ(answer.values, row_of(static_cast<float>(lengths[i]), lengths[i]));
    EXPECT_EQ(answer.dims, (Shape{1, static_cast<std::int64_t>(lengths[i])}));
  }
  EXPECT_EQ(harness.batch_dims(), (std::vector<Shape>{{5, 11}})) << "not to the bucket's bound";
  std::vector<float> first = row_of(3, 3);
  first.resize(11, -7);
  EXPECT_EQ(given(model->script().batches()[1], 0), first);
}

TEST(EnginePadding, KeepsRowsOfDifferentBucketsApart) {
  const auto model = echo_sequences();
  RaggedHarness harness(model, padded_pipeline(model));
  harness.plug();
  std::vector<std::uint32_t> indices;
  for (const std::size_t length : {100, 16, 98, 15, 17, 24}) {
    indices.push_back(harness.submit_row(row_of(1, static_cast<std::size_t>(length))));
  }
  harness.pull();
  for (const std::uint32_t index : indices) harness.answer(index);
  EXPECT_EQ(harness.batch_dims(), (std::vector<Shape>{{2, 100}, {2, 16}, {2, 24}}));
}

TEST(EnginePadding, KeepsToTheBucketsGiven) {
  const auto model = echo_sequences();
  RaggedHarness harness(model, padded_pipeline(model, kFill, {2, 50}));
  harness.plug();
  std::vector<std::uint32_t> indices;
  for (const std::size_t length : {3, 50, 2, 1, 64, 60}) {
    indices.push_back(harness.submit_row(row_of(1, static_cast<std::size_t>(length))));
  }
  harness.pull();
  for (const std::uint32_t index : indices) harness.answer(index);
  EXPECT_EQ(harness.batch_dims(), (std::vector<Shape>{{2, 50}, {2, 2}, {2, 64}}));
}

TEST(EnginePadding, CountsWhatItAdds) {
  const auto model = echo_sequences();
  RaggedHarness harness(model, padded_pipeline(model));
  harness.plug();
  const std::uint32_t a = harness.submit_row(row_of(1, 10));
  const std::uint32_t b = harness.submit_row(row_of(2, 4));
  harness.pull();
  harness.answer(a);
  harness.answer(b);
  const StageStats stats = harness.stage();
  EXPECT_EQ(stats.padded_elements, 1u + 20u);
  EXPECT_EQ(stats.padding_elements, 6u);
}

TEST(EnginePadding, IsNotCutBackWhereTheOutputIsNotSaidToKeepTheSize) {
  const auto model = echo_sequences();
  PipelineSpec spec = padded_pipeline(model);
  spec.stages[0].trims.clear();
  RaggedHarness harness(model, spec);
  harness.plug();
  const std::uint32_t a = harness.submit_row({1, 2});
  const std::uint32_t b = harness.submit_row({3, 4, 5});
  harness.pull();
  EXPECT_EQ(harness.answer(a).values, (std::vector<float>{1, 2, -7}));
  EXPECT_EQ(harness.answer(b).values, (std::vector<float>{3, 4, 5}));
}

TEST(EnginePadding, PadsSeveralDimensionsEachByItsOwnBucket) {
  const auto model = echo_of({tensor(DataType::kFloat32, {-1, -1, 2, -1})});
  PipelineSpec spec = padded_pipeline(model, kFill, {2, 4});
  RaggedHarness harness(model, spec);
  model->script().gate.close();
  std::vector<std::uint32_t> indices{harness.submit_block(row_of(1, 2), {1, 2, 1})};
  EXPECT_TRUE(eventually([&] { return model->script().runs == 1; }));
  const std::vector<Shape> shapes{{1, 2, 3}, {2, 2, 4}, {2, 2, 2}, {1, 2, 1}, {3, 2, 1}};
  for (const Shape& shape : shapes) {
    indices.push_back(harness.submit_block(row_of(1, element_count(shape)), shape));
  }
  model->script().gate.open();
  harness.answer(indices[0]);
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    EXPECT_EQ(harness.answer(indices[i + 1]).values, row_of(1, element_count(shapes[i]))) << i;
  }
  EXPECT_EQ(harness.batch_dims(), (std::vector<Shape>{{2, 2, 2, 4}, {2, 2, 2, 2}, {1, 3, 2, 1}}));
}

TEST(EnginePadding, PadsSeveralInputsAndLeavesOthersAlone) {
  const auto model =
      echo_of({tensor(DataType::kFloat32, {-1, -1}), tensor(DataType::kInt64, {-1, -1}),
               tensor(DataType::kFloat32, {-1, 2})});
  PipelineSpec spec = padded_pipeline(model);
  spec.stages[0].padding[1]->element = std::vector<std::byte>(8, std::byte{1});
  spec.stages[0].padding[2].reset();
  spec.outputs[0].sources = {from_stage(0, 1)};
  RaggedHarness harness(model, spec);
  const std::vector<float> numbers{1, 2, 3};
  const std::vector<std::int64_t> ids{4, 5, 6};
  const std::vector<float> fixed{7, 8};
  const auto submit = [&](std::int64_t length) {
    std::vector<CallerInput> inputs(3);
    const auto count = static_cast<std::size_t>(length);
    inputs[0] = {
        reinterpret_cast<const std::byte*>(numbers.data()), nullptr, count * 4, count, {length}};
    inputs[1] = {
        reinterpret_cast<const std::byte*>(ids.data()), nullptr, count * 8, count, {length}};
    inputs[2] = {reinterpret_cast<const std::byte*>(fixed.data()), nullptr, 8, 2, {}};
    return harness.submit_inputs(inputs);
  };
  model->script().gate.close();
  const std::uint32_t first = submit(1);
  EXPECT_TRUE(eventually([&] { return model->script().runs == 1; }));
  const std::uint32_t a = submit(3);
  const std::uint32_t b = submit(1);
  model->script().gate.open();
  harness.answer(first);
  EXPECT_EQ(harness.answer(a).dims, (Shape{1, 3}));
  EXPECT_EQ(harness.answer(b).dims, (Shape{1, 1}));
  const EchoBatch batch = model->script().batches()[1];
  EXPECT_EQ(batch.dims, (std::vector<Shape>{{2, 3}, {2, 3}, {2, 2}}));
  const std::int64_t fill = 0x0101010101010101;
  const std::vector<std::int64_t> wanted{4, 5, 6, 4, fill, fill};
  EXPECT_EQ(std::memcmp(batch.bytes[1].data(), wanted.data(), wanted.size() * 8), 0);
  EXPECT_EQ(std::memcmp(batch.bytes[2].data(), std::vector<float>{7, 8, 7, 8}.data(), 16), 0);
  EXPECT_EQ(harness.stage().padding_elements, 4u);
}

// Whatever the type: what is given is the rows and the fill, what comes back is the row.
TEST(EnginePadding, WorksForEveryTypeOfNumber) {
  for (int code = 1; code <= static_cast<int>(DataType::kUint64); ++code) {
    const auto type = static_cast<DataType>(code);
    const std::size_t size = element_size(type);
    if (size == 0) continue;
    const auto model = echo_of({tensor(type, {-1, -1})});
    std::vector<std::byte> element(size);
    for (std::size_t i = 0; i < size; ++i) element[i] = static_cast<std::byte>(201 + i);
    RaggedHarness harness(model, padded_pipeline(model, element));
    std::vector<std::byte> data(12 * size);
    for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<std::byte>(i);
    const auto submit = [&](std::int64_t length) {
      const auto count = static_cast<std::size_t>(length);
      return harness.submit_inputs({{data.data(), nullptr, count * size, count, {length}}});
    };
    model->script().gate.close();
    const std::uint32_t first = submit(4);
    EXPECT_TRUE(eventually([&] { return model->script().runs == 1; }));
    const std::uint32_t longer = submit(12);
    const std::uint32_t shorter = submit(4);
    model->script().gate.open();
    harness.answer(first);
    EXPECT_EQ(harness.answer(longer).dims, (Shape{1, 12}));
    const Answer answer = harness.answer(shorter);
    EXPECT_EQ(answer.dims, (Shape{1, 4}));
    EXPECT_EQ(std::memcmp(answer.values.data(), data.data(), 4 * size), 0) << type_name(type);
    const EchoBatch batch = model->script().batches()[1];
    std::vector<std::byte> wanted = data;
    wanted.insert(wanted.end(), data.begin(), data.begin() + static_cast<std::ptrdiff_t>(4 * size));
    for (int i = 0; i < 8; ++i) wanted.insert(wanted.end(), element.begin(), element.end());
    EXPECT_EQ(batch.bytes[0], wanted) << type_name(type);
  }
}

TEST(EnginePadding, WorksForStrings) {
  const auto model = echo_of({tensor(DataType::kString, {-1, -1})});
  RaggedHarness harness(model, padded_pipeline(model, {}));
  const std::vector<std::string> words{"a", "bc", std::string(100, 'd')};
  const auto submit = [&](std::int64_t length) {
    return harness.submit_inputs(
        {{nullptr, words.data(), 0, static_cast<std::size_t>(length), {length}}});
  };
  model->script().gate.close();
  const std::uint32_t first = submit(1);
  EXPECT_TRUE(eventually([&] { return model->script().runs == 1; }));
  const std::uint32_t a = submit(2);
  const std::uint32_t b = submit(3);
  model->script().gate.open();
  harness.answer(first);
  EXPECT_EQ(harness.answer(a).strings, (std::vector<std::string>{"a", "bc"}));
  EXPECT_EQ(harness.answer(b).strings, words);
  EXPECT_EQ(harness.batch_dims(), (std::vector<Shape>{{2, 3}}));
}

TEST(EnginePadding, TakesEmptyRowsAlongAndAlone) {
  const auto model = echo_sequences();
  RaggedHarness harness(model, padded_pipeline(model));
  EXPECT_EQ(harness.answer(harness.submit_row({})).dims, (Shape{1, 0}));
  harness.plug();
  const std::uint32_t empty = harness.submit_row({});
  const std::uint32_t full = harness.submit_row({1, 2});
  harness.pull();
  const Answer answer = harness.answer(empty);
  EXPECT_EQ(answer.outcome, Outcome::kCompleted);
  EXPECT_EQ(answer.dims, (Shape{1, 0}));
  EXPECT_EQ(harness.answer(full).values, (std::vector<float>{1, 2}));
}

TEST(EnginePadding, IsNotTakenForTheModelsOwnSize) {
  const auto model = echo_sequences();
  model->script().shrinks = true;  // it does not give back what it is said to
  RaggedHarness harness(model, padded_pipeline(model));
  model->script().gate.close();
  const std::uint32_t first = harness.submit_row({1});
  EXPECT_TRUE(eventually([&] { return model->script().runs == 1; }));
  const std::uint32_t a = harness.submit_row({1, 2});
  const std::uint32_t b = harness.submit_row({3, 4, 5});
  model->script().gate.open();
  harness.answer(first);
  EXPECT_EQ(harness.answer(a).values, (std::vector<float>{1})) << "alone, nothing is padded";
  EXPECT_EQ(harness.answer(b).values, (std::vector<float>{3}));
  EXPECT_EQ(harness.stage().retries, 1u);
}

TEST(EnginePadding, GivesARequestOfManyRowsBackWhole) {
  const auto model = echo_sequences();
  RaggedHarness harness(model, padded_pipeline(model));
  constexpr std::size_t kRows = 21;
  std::vector<float> rows;
  for (std::size_t r = 0; r < kRows; ++r) {
    for (const float value : row_of(static_cast<float>(r), 5)) rows.push_back(value);
  }
  SubmitOptions options;
  options.rows = kRows;
  harness.plug();
  const std::uint32_t longer = harness.submit_row(row_of(1, 9));
  const std::uint32_t many = harness.submit_block(rows, {5}, options);
  harness.pull();
  EXPECT_EQ(harness.answer(longer).values, row_of(1, 9));
  const Answer answer = harness.answer(many);
  EXPECT_EQ(answer.dims, (Shape{kRows, 5}));
  EXPECT_EQ(answer.values, rows);
  EXPECT_EQ(harness.batch_dims(), (std::vector<Shape>{{8, 9}, {8, 5}, {6, 5}}));
}

}  // namespace
}  // namespace millrace
