#include <limits>

#include "onnx_fixture.h"

namespace millrace {
namespace {

using OnnxModelTest = OnnxTest;

TEST_F(OnnxModelTest, NamesTypesAndShapesAreThoseOfTheFile) {
  const auto model = load(digits_model("fast"));
  ASSERT_EQ(model->inputs().size(), 1u);
  EXPECT_EQ(model->inputs()[0].name, "image");
  EXPECT_EQ(model->inputs()[0].type, DataType::kFloat32);
  EXPECT_EQ(model->inputs()[0].dims, (Dims{-1, 1, 8, 8}));
  EXPECT_EQ(model->inputs()[0].symbols, (std::vector<std::string>{"batch", "", "", ""}));
  ASSERT_EQ(model->outputs().size(), 3u);
  EXPECT_EQ(model->outputs()[1].name, "label");
  EXPECT_EQ(model->outputs()[1].type, DataType::kInt64);
  EXPECT_EQ(model->outputs()[1].dims, (Dims{-1}));
}

TEST_F(OnnxModelTest, IsLoadedFromBytesThatItDoesNotNeedLater) {
  OnnxModelSource source{{}, read_bytes(test_model("two-inputs")), "sums"};
  const auto model = OnnxModel::load(*library_, std::move(source), {});
  ASSERT_TRUE(model.ok()) << model.error().message;
  const std::vector<float> a{1, 2}, b{10, 20};
  const TensorView inputs[] = {view_of(a, {1, 2}), view_of(b, {1, 2})};
  std::vector<TensorView> outputs;
  ASSERT_TRUE(run(*runner_of(*model.value(), 4), inputs, outputs).ok());
}

template <class T>
struct Sample {
  std::string model;
  DataType type;
  std::vector<T> elements;
};

// Two rows of four through the model that gives back what it gets.
template <class T>
void expect_round_trip(OnnxModel& model, Runner& runner, const Sample<T>& sample) {
  EXPECT_EQ(model.inputs()[0].type, sample.type);
  EXPECT_EQ(model.outputs()[0].type, sample.type);
  const TensorView inputs[] = {view_of(sample.elements, {2, 4})};
  std::vector<TensorView> outputs;
  const Status status = run(runner, inputs, outputs);
  ASSERT_TRUE(status.ok()) << status.error().message;
  ASSERT_EQ(outputs.size(), 1u);
  EXPECT_EQ(outputs[0].dims, (Dims{2, 4}));
  EXPECT_EQ(elements_of<T>(outputs[0]), sample.elements);
}

template <class T>
std::vector<T> extremes() {
  using Limits = std::numeric_limits<T>;
  return {Limits::min(), Limits::max(), Limits::lowest(), T{0}, T{1}, T{2}, T{3}, T{100}};
}

TEST_F(OnnxModelTest, EveryNumericTypeComesBackUnchanged) {
  const auto check = [this](const auto& sample) {
    SCOPED_TRACE(sample.model);
    const auto model = load(test_model("identity-" + sample.model));
    ASSERT_TRUE(model);
    expect_round_trip(*model, *runner_of(*model, 2), sample);
  };
  check(Sample<float>{"float32", DataType::kFloat32, extremes<float>()});
  check(Sample<double>{"float64", DataType::kFloat64, extremes<double>()});
  check(Sample<std::uint8_t>{"uint8", DataType::kUint8, extremes<std::uint8_t>()});
  check(Sample<std::int8_t>{"int8", DataType::kInt8, extremes<std::int8_t>()});
  check(Sample<std::uint16_t>{"uint16", DataType::kUint16, extremes<std::uint16_t>()});
  check(Sample<std::int16_t>{"int16", DataType::kInt16, extremes<std::int16_t>()});
  check(Sample<std::uint32_t>{"uint32", DataType::kUint32, extremes<std::uint32_t>()});
  check(Sample<std::int32_t>{"int32", DataType::kInt32, extremes<std::int32_t>()});
  check(Sample<std::uint64_t>{"uint64", DataType::kUint64, extremes<std::uint64_t>()});
  check(Sample<std::int64_t>{"int64", DataType::kInt64, extremes<std::int64_t>()});
  check(
      Sample<std::uint16_t>{"float16", DataType::kFloat16, extremes<std::uint16_t>()});  // as bits
  check(Sample<std::uint8_t>{"bool", DataType::kBool, {0, 1, 1, 0, 1, 0, 0, 1}});
}

TEST_F(OnnxModelTest, StringsComeBackUnchangedWhateverTheyHold) {
  const auto model = load(test_model("identity-string"));
  const auto runner = runner_of(*model, 2);
  const std::vector<std::string> words{
      "",  "plain", "zwölf 数字 🙂", std::string("a\0b", 3), std::string(10'000, 'x'), "",
      " ", "end"};
  const TensorView inputs[] = {view_of(words, {2, 4})};
  std::vector<TensorView> outputs;
  for (int round = 0; round < 2; ++round) {
    const Status status = run(*runner, inputs, outputs);
    ASSERT_TRUE(status.ok()) << status.error().message;
    EXPECT_EQ(outputs[0].dims, (Dims{2, 4}));
    EXPECT_EQ(outputs[0].data, nullptr);
    EXPECT_EQ(strings_of(outputs[0]), words);
  }
}

TEST_F(OnnxModelTest, StringsMayChangeInNumberFromRunToRun) {
  const auto model = load(test_model("echo-string"));
  const auto runner = runner_of(*model, 2);
  std::vector<TensorView> outputs;
  for (const std::size_t rows : {3u, 1u, 0u, 2u}) {
    const std::vector<std::string> words(rows, "row " + std::to_string(rows));
    const TensorView inputs[] = {view_of(words, {static_cast<std::int64_t>(rows)})};
    ASSERT_TRUE(run(*runner, inputs, outputs).ok());
    EXPECT_EQ(strings_of(outputs[0]), words);
  }
}

TEST_F(OnnxModelTest, InputsAreTakenInOrderAndFromAnyAddress) {
  const auto model = load(test_model("two-inputs"));
  const auto runner = runner_of(*model, 2);
  const std::vector<float> a{1, 2, 3, 4};
  std::vector<std::byte> odd(1 + 4 * sizeof(float));
  const float b[] = {10, 20, 30, 40};
  std::memcpy(odd.data() + 1, b, sizeof b);
  const TensorView inputs[] = {view_of(a, {2, 2}), {odd.data() + 1, nullptr, {2, 2}}};
  std::vector<TensorView> outputs;
  ASSERT_TRUE(run(*runner, inputs, outputs).ok());
  EXPECT_EQ(elements_of<float>(outputs[0]), (std::vector<float>{11, 22, 33, 44}));
  EXPECT_EQ(elements_of<float>(outputs[1]), (std::vector<float>{-9, -18, -27, -36}));
}

TEST_F(OnnxModelTest, ARunSeesWhatTheInputsMemoryHoldsAtThatTime) {
  const auto model = load(test_model("identity-float32"));
  const auto runner = runner_of(*model, 1);
  std::vector<float> x{1, 2, 3, 4};
  const TensorView inputs[] = {view_of(x, {1, 4})};
  std::vector<TensorView> outputs;
  ASSERT_TRUE(run(*runner, inputs, outputs).ok());
  x = {5, 6, 7, 8};
  ASSERT_TRUE(run(*runner, inputs, outputs).ok());
  EXPECT_EQ(elements_of<float>(outputs[0]), x);
}

TEST_F(OnnxModelTest, OnlyTheOutputsAskedForAreGivenInThatOrder) {
  const auto model = load(test_model("two-inputs"));
  const std::vector<float> a{1, 2}, b{10, 20};
  const TensorView inputs[] = {view_of(a, {1, 2}), view_of(b, {1, 2})};
  std::vector<TensorView> outputs;
  ASSERT_TRUE(run(*runner_of(*model, 1, {1}), inputs, outputs).ok());
  ASSERT_EQ(outputs.size(), 1u);
  const auto turned = runner_of(*model, 1, {1, 0});
  ASSERT_TRUE(run(*turned, inputs, outputs).ok());
  ASSERT_EQ(outputs.size(), 2u);
  EXPECT_EQ(elements_of<float>(outputs[0]), (std::vector<float>{-9, -18}));
  EXPECT_EQ(elements_of<float>(outputs[1]), (std::vector<float>{11, 22}));
}

TEST_F(OnnxModelTest, ABatchGivesWhatItsRowsGiveAlone) {
  const auto model = load(digits_model("fast"));
  const auto together = runner_of(*model, 16);
  const auto alone = runner_of(*model, 1);
  std::vector<float> images(16 * 64);
  for (std::size_t i = 0; i < images.size(); ++i)
    images[i] = static_cast<float>((i * 7 + i / 64) % 17);
  std::vector<TensorView> batch, single;
  for (const std::int64_t rows : {16, 1, 5, 16, 3, 2}) {
    const TensorView inputs[] = {view_of(images, {rows, 1, 8, 8})};
    ASSERT_TRUE(run(*together, inputs, batch).ok());
    EXPECT_EQ(batch[0].dims, (Dims{rows, 10}));
    EXPECT_EQ(batch[1].dims, (Dims{rows}));
    for (std::int64_t row = 0; row < rows; ++row) {
      const std::byte* image = reinterpret_cast<const std::byte*>(images.data() + row * 64);
      const TensorView one[] = {{image, nullptr, {1, 1, 8, 8}}};
      ASSERT_TRUE(run(*alone, one, single).ok());
      const auto index = static_cast<std::size_t>(row);
      EXPECT_EQ(elements_of<std::int64_t>(batch[1])[index],
                elements_of<std::int64_t>(single[1])[0]);
      EXPECT_NEAR(elements_of<float>(batch[2])[index], elements_of<float>(single[2])[0], 1e-5);
    }
  }
}

TEST_F(OnnxModelTest, OutputsOfKnownShapeAreWrittenToTheSameMemoryEveryRun) {
  const auto model = load(test_model("identity-float32"));
  const auto runner = runner_of(*model, 8);
  const std::vector<float> x(32, 3);
  std::vector<TensorView> outputs;
  const std::byte* memory = nullptr;
  for (const std::int64_t rows : {1, 8, 2, 1}) {
    const TensorView inputs[] = {view_of(x, {rows, 4})};
    ASSERT_TRUE(run(*runner, inputs, outputs).ok());
    if (memory == nullptr) memory = outputs[0].data;
    EXPECT_EQ(outputs[0].data, memory);
    EXPECT_EQ(elements_of<float>(outputs[0]),
              std::vector<float>(static_cast<std::size_t>(rows) * 4, 3));
  }
}

TEST_F(OnnxModelTest, ABatchAboveTheLargestAnnouncedIsStillRight) {
  const auto model = load(test_model("identity-float32"));
  const auto runner = runner_of(*model, 2);
  const std::vector<float> x{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  const TensorView inputs[] = {view_of(x, {3, 4})};
  std::vector<TensorView> outputs;
  ASSERT_TRUE(run(*runner, inputs, outputs).ok());
  EXPECT_EQ(elements_of<float>(outputs[0]), x);
}

TEST_F(OnnxModelTest, AnEmptyBatchGivesEmptyOutputs) {
  const auto model = load(test_model("identity-float32"));
  const TensorView inputs[] = {{nullptr, nullptr, {0, 4}}};
  std::vector<TensorView> outputs;
  const Status status = run(*runner_of(*model, 2), inputs, outputs);
  ASSERT_TRUE(status.ok()) << status.error().message;
  EXPECT_EQ(outputs[0].dims, (Dims{0, 4}));
}

TEST_F(OnnxModelTest, AnOpenDimensionMayDifferFromRunToRun) {
  const auto model = load(test_model("dynamic-sequence"));
  EXPECT_EQ(model->inputs()[0].dims, (Dims{-1, -1}));
  EXPECT_EQ(model->inputs()[0].symbols, (std::vector<std::string>{"batch", "sequence"}));
  const auto runner = runner_of(*model, 4);
  const std::vector<float> tokens{1, 2, 3, 4, 5, 6};
  std::vector<TensorView> outputs;
  const TensorView wide[] = {view_of(tokens, {2, 3})};
  ASSERT_TRUE(run(*runner, wide, outputs).ok());
  EXPECT_EQ(outputs[0].dims, (Dims{2, 3}));
  EXPECT_EQ(elements_of<float>(outputs[1]), (std::vector<float>{6, 15}));
  const TensorView narrow[] = {view_of(tokens, {3, 2})};
  ASSERT_TRUE(run(*runner, narrow, outputs).ok());
  EXPECT_EQ(outputs[0].dims, (Dims{3, 2}));
  EXPECT_EQ(elements_of<float>(outputs[0]), (std::vector<float>{2, 4, 6, 8, 10, 12}));
  EXPECT_EQ(elements_of<float>(outputs[1]), (std::vector<float>{3, 7, 11}));
}

TEST_F(OnnxModelTest, ShapesWithoutABatchAreKept) {
  const std::vector<float> x{1, 2, 3};
  const struct {
    const char* name;
    Dims dims;
  } cases[] = {{"no-batch", {3}}, {"fixed-batch", {1, 3}}};
  for (const auto& test : cases) {
    SCOPED_TRACE(test.name);
    const auto model = load(test_model(test.name));
    EXPECT_EQ(model->inputs()[0].dims, test.dims);
    const auto runner = runner_of(*model, 4);
    const TensorView inputs[] = {view_of(x, test.dims)};
    std::vector<TensorView> outputs;
    for (int round = 0; round < 2; ++round) {
      ASSERT_TRUE(run(*runner, inputs, outputs).ok());
      EXPECT_EQ(outputs[0].dims, test.dims);
      EXPECT_EQ(elements_of<float>(outputs[0]), (std::vector<float>{2, 4, 6}));
    }
  }
}

TEST_F(OnnxModelTest, AScalarOutputHasNoDimensions) {
  const auto model = load(test_model("scalar-output"));
  const std::vector<float> x{1, 2, 3, 4};
  const TensorView inputs[] = {view_of(x, {2, 2})};
  std::vector<TensorView> outputs;
  const auto runner = runner_of(*model, 4);
  ASSERT_TRUE(run(*runner, inputs, outputs).ok());
  EXPECT_TRUE(outputs[0].dims.empty());
  EXPECT_EQ(elements_of<float>(outputs[0]), std::vector<float>{10});
}

TEST_F(OnnxModelTest, OutputsOfAnotherShapeThanDeclaredAreStillRight) {
  const auto model = load(test_model("untrue-shape"));
  EXPECT_EQ(model->outputs()[0].dims, (Dims{-1}));
  const auto runner = runner_of(*model, 4);
  std::vector<TensorView> outputs;
  const std::vector<std::vector<float>> rounds{{1, 2, 3}, {1, -2, 3}, {-1, -2}, {4, 5, 6, 7}};
  for (const auto& x : rounds) {
    std::vector<float> positive;
    std::copy_if(x.begin(), x.end(), std::back_inserter(positive),
                 [](float value) { return value > 0; });
    const TensorView inputs[] = {view_of(x, {static_cast<std::int64_t>(x.size())})};
    const Status status = run(*runner, inputs, outputs);
    ASSERT_TRUE(status.ok()) << status.error().message;
    EXPECT_EQ(elements_of<float>(outputs[0]), positive);
  }
}

TEST_F(OnnxModelTest, ARunnerKeepsItsModelAlive) {
  auto model = load(test_model("identity-float32"));
  const auto runner = runner_of(*model, 1);
  model.reset();
  const std::vector<float> x{1, 2, 3, 4};
  const TensorView inputs[] = {view_of(x, {1, 4})};
  std::vector<TensorView> outputs;
  ASSERT_TRUE(run(*runner, inputs, outputs).ok());
  EXPECT_EQ(elements_of<float>(outputs[0]), x);
}

}  // namespace
}  // namespace millrace
