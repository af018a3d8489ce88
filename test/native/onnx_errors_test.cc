#include "onnx_fixture.h"

namespace millrace {
namespace {

class OnnxErrorsTest : public OnnxTest {
 protected:
  std::string load_error(const std::string& path) {
    const auto model = try_load(path);
    if (model.ok()) return "it loaded";
    EXPECT_EQ(model.error().code, ErrorCode::kModelLoad);
    EXPECT_NE(model.error().message.find(path), std::string::npos) << model.error().message;
    return model.error().message;
  }
};

testing::AssertionResult says(const std::string& message, const std::string& part) {
  if (message.find(part) != std::string::npos) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "'" << message << "' does not say '" << part << "'";
}

TEST_F(OnnxErrorsTest, AMissingModelIsNamedWithOnnxRuntimesCode) {
  EXPECT_TRUE(says(load_error("/nowhere/model.onnx"), "ONNX Runtime error 3 (NO_SUCHFILE): "));
}

TEST_F(OnnxErrorsTest, AFileThatIsNoModelIsNamedWithOnnxRuntimesCode) {
  EXPECT_TRUE(
      says(load_error(test_model("broken-garbage")), "ONNX Runtime error 7 (INVALID_PROTOBUF): "));
  EXPECT_TRUE(says(load_error(test_model("broken-truncated")),
                   "ONNX Runtime error 7 (INVALID_PROTOBUF): "));
}

TEST_F(OnnxErrorsTest, ATooNewOperatorSetIsRefused) {
  EXPECT_TRUE(says(load_error(test_model("broken-opset")), "ONNX Runtime error "));
}

TEST_F(OnnxErrorsTest, ModelsFromBytesAreCalledByTheirName) {
  const auto model =
      OnnxModel::load(*library_, {{}, read_bytes(test_model("broken-garbage")), "spam filter"}, {});
  ASSERT_FALSE(model.ok());
  EXPECT_TRUE(says(model.error().message, "cannot load model 'spam filter'"));
}

TEST_F(OnnxErrorsTest, InputsAndOutputsThatAreNoTensorsAreRefusedByName) {
  EXPECT_TRUE(says(load_error(test_model("sequence-input")), "its input 'parts' is a sequence"));
  EXPECT_TRUE(says(load_error(test_model("sequence-output")), "its output 'parts' is a sequence"));
}

TEST_F(OnnxErrorsTest, AnUnsupportedElementTypeIsRefusedByName) {
  EXPECT_TRUE(
      says(load_error(test_model("identity-bfloat16")), "its input 'x' is a tensor of bfloat16"));
}

TEST_F(OnnxErrorsTest, OptionsThatMakeNoSenseAreRefused) {
  OnnxModelOptions options;
  options.threads = 0;
  const auto no_threads = try_load(digits_model("fast"), options);
  ASSERT_FALSE(no_threads.ok());
  EXPECT_EQ(no_threads.error().code, ErrorCode::kInvalidOption);
  EXPECT_TRUE(says(no_threads.error().message, "at least 1, not 0"));

  const auto nothing = OnnxModel::load(*library_, {}, {});
  ASSERT_FALSE(nothing.ok());
  EXPECT_EQ(nothing.error().code, ErrorCode::kInvalidOption);

  const auto model = load(digits_model("fast"));
  const auto runner = model->make_runner({{0, 3}, 1});
  ASSERT_FALSE(runner.ok());
  EXPECT_TRUE(says(runner.error().message, "has 3 outputs; there is no output 3"));
}

TEST_F(OnnxErrorsTest, ASettingThatOnnxRuntimeRefusesIsReported) {
  OnnxModelOptions options;
  options.session_config = {{std::string(2000, 'k'), "1"}};
  const auto model = try_load(digits_model("fast"), options);
  ASSERT_FALSE(model.ok());
  EXPECT_EQ(model.error().code, ErrorCode::kInvalidOption);
}

TEST_F(OnnxErrorsTest, AnInputOfTheWrongShapeFailsTheRunAndNotTheRunner) {
  const auto model = load(digits_model("fast"));
  const auto runner = runner_of(*model, 4);
  const std::vector<float> image(128);
  std::vector<TensorView> outputs;
  const TensorView wrong[] = {view_of(image, {1, 1, 8, 9})};
  const Status status = run(*runner, wrong, outputs);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kStageFailed);
  EXPECT_TRUE(says(status.error().message, "ONNX Runtime error 2 (INVALID_ARGUMENT): "));

  const TensorView right[] = {view_of(image, {2, 1, 8, 8})};
  EXPECT_TRUE(run(*runner, right, outputs).ok());
}

TEST_F(OnnxErrorsTest, InputsThatAreNoTensorsAtAllAreRefusedBeforeTheRun) {
  const auto model = load(test_model("two-inputs"));
  const auto runner = runner_of(*model, 4);
  const std::vector<float> pair{1, 2};
  const TensorView good = view_of(pair, {1, 2});
  const std::vector<std::pair<std::vector<TensorView>, std::string>> cases{
      {{good}, "takes 2 inputs, not 1"},
      {{good, view_of(pair, {-1, 2})}, "input 'b' has a shape with a negative dimension"},
      {{good, view_of(pair, {std::int64_t{1} << 40, std::int64_t{1} << 40})}, "too many elements"},
      {{good, {nullptr, nullptr, {1, 2}}}, "input 'b' must be numbers"}};
  std::vector<TensorView> outputs;
  for (const auto& [inputs, part] : cases) {
    const Status status = run(*runner, inputs, outputs);
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().code, ErrorCode::kInvalidInput);
    EXPECT_TRUE(says(status.error().message, part));
  }
  EXPECT_TRUE(run(*runner, std::vector{good, good}, outputs).ok());
}

TEST_F(OnnxErrorsTest, ARowThatAnOperationRejectsFailsTheBatchAndNotTheNext) {
  const auto model = load(test_model("gather"));
  const auto runner = runner_of(*model, 4);
  const std::vector<std::int64_t> bad{1, 99}, good{2, 3};
  std::vector<TensorView> outputs;
  const TensorView rejected[] = {view_of(bad, {2})};
  const Status status = run(*runner, rejected, outputs);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kStageFailed);
  EXPECT_TRUE(says(status.error().message, "ONNX Runtime error "));
  EXPECT_TRUE(says(status.error().message, "Gather"));

  const TensorView accepted[] = {view_of(good, {2})};
  ASSERT_TRUE(run(*runner, accepted, outputs).ok());
  EXPECT_EQ(elements_of<float>(outputs[0]), (std::vector<float>{4, 9}));
}

}  // namespace
}  // namespace millrace
