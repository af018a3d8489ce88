#include <atomic>
#include <chrono>
#include <thread>

#include "onnx_fixture.h"

namespace millrace {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

using OnnxThreadsTest = OnnxTest;

std::vector<float> images(std::size_t rows) {
  std::vector<float> pixels(rows * 64);
  for (std::size_t i = 0; i < pixels.size(); ++i)
    pixels[i] = static_cast<float>((i * 5 + i / 64) % 17);
  return pixels;
}

std::vector<std::int64_t> labels(Runner& runner, const std::vector<float>& pixels) {
  const TensorView inputs[] = {
      view_of(pixels, {static_cast<std::int64_t>(pixels.size() / 64), 1, 8, 8})};
  std::vector<TensorView> outputs;
  if (!run(runner, inputs, outputs).ok()) return {};
  return elements_of<std::int64_t>(outputs[1]);
}

TEST_F(OnnxThreadsTest, FourRunnersShareOneSessionAtTheSameTime) {
  const auto model = load(digits_model("accurate"));
  std::vector<std::unique_ptr<Runner>> runners;
  for (int i = 0; i < 4; ++i) runners.push_back(runner_of(*model, 8));
  const auto pixels = images(8);
  const auto expected = labels(*runners[0], pixels);
  ASSERT_EQ(expected.size(), 8u);

  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (auto& runner : runners) {
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) wrong += labels(*runner, pixels) != expected;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST_F(OnnxThreadsTest, RunnersAreMadeWhileOthersRun) {
  const auto model = load(digits_model("fast"));
  const auto pixels = images(2);
  const auto expected = labels(*runner_of(*model, 2), pixels);
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 50; ++j) wrong += labels(*runner_of(*model, 2), pixels) != expected;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST_F(OnnxThreadsTest, RunnersWithTwoThreadsEachGiveTheSameAnswers) {
  const auto pixels = images(8);
  const auto expected = labels(*runner_of(*load(digits_model("accurate")), 8), pixels);
  OnnxModelOptions options;
  options.threads = 2;
  const auto from_file = load(digits_model("accurate"), options);
  const auto from_bytes =
      OnnxModel::load(*library_, {{}, read_bytes(digits_model("accurate")), {}}, options);
  ASSERT_TRUE(from_file && from_bytes.ok());
  for (const auto& model : {from_file, from_bytes.value()}) {
    const auto first = runner_of(*model, 8), second = runner_of(*model, 8),
               third = runner_of(*model, 8);
    EXPECT_EQ(labels(*first, pixels), expected);
    EXPECT_EQ(labels(*third, pixels), expected);
    EXPECT_EQ(labels(*second, pixels), expected);
  }
}

TEST_F(OnnxThreadsTest, TheLoadedSessionOfARunnerThatIsGoneIsUsedAgain) {
  OnnxModelOptions options;
  options.threads = 2;
  options.cancellation = std::make_shared<LoadCancellation>();
  const auto model = load(digits_model("accurate"), options);
  options.cancellation->cancel();  // from now on nothing can be loaded
  auto first = model->make_runner({{1}, 1});
  EXPECT_TRUE(first.ok());
  const auto second = model->make_runner({{1}, 1});
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, ErrorCode::kCancelled);
  first.value().reset();
  EXPECT_TRUE(model->make_runner({{1}, 1}).ok());
}

TEST_F(OnnxThreadsTest, AnArenaAndSpinningChangeNoAnswer) {
  const auto pixels = images(8);
  const auto expected = labels(*runner_of(*load(digits_model("accurate")), 8), pixels);
  OnnxModelOptions options;
  options.threads = 2;
  options.spinning = true;
  options.arena = true;
  options.session_config = {{"session.set_denormal_as_zero", "1"}};
  EXPECT_EQ(labels(*runner_of(*load(digits_model("accurate"), options), 8), pixels), expected);
}

// Counts for as long as it is not ended: minutes.
Status count_for_ever(Runner& runner) {
  const std::vector<std::int64_t> iterations{1'000'000'000};
  const TensorView inputs[] = {view_of(iterations, {1})};
  std::vector<TensorView> outputs;
  return run(runner, inputs, outputs);
}

TEST_F(OnnxThreadsTest, ALongRunEndsSoonAfterItIsTerminatedAndSoDoesEveryLaterOne) {
  const auto model = load(test_model("slow"));
  const auto runner = runner_of(*model, 1);
  Status status;
  steady_clock::time_point ended;
  std::thread thread([&] {
    status = count_for_ever(*runner);
    ended = steady_clock::now();
  });
  std::this_thread::sleep_for(200ms);
  const auto told = steady_clock::now();
  runner->terminate();
  thread.join();
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kCancelled);
  EXPECT_LT(ended - told, 500ms);
  RecordProperty("terminate_us", std::to_string((ended - told) / 1us));

  const Status later = count_for_ever(*runner);
  ASSERT_FALSE(later.ok());
  EXPECT_EQ(later.error().code, ErrorCode::kCancelled);
}

TEST_F(OnnxThreadsTest, ALongRunEndsSoonAfterItIsInterruptedAndTheNextOneRuns) {
  const auto model = load(test_model("slow"));
  const auto runner = runner_of(*model, 1);
  const std::vector<std::int64_t> iterations{3};
  const TensorView inputs[] = {view_of(iterations, {1})};
  std::vector<TensorView> outputs;
  for (int round = 0; round < 3; ++round) {
    Status status;
    std::thread thread([&] { status = count_for_ever(*runner); });
    std::this_thread::sleep_for(50ms);
    runner->interrupt();
    thread.join();
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().code, ErrorCode::kCancelled);
    EXPECT_FALSE(run(*runner, inputs, outputs).ok()) << "it holds until it is taken back";
    runner->resume();
    ASSERT_TRUE(run(*runner, inputs, outputs).ok());
  }
  runner->interrupt();
  runner->terminate();
  runner->resume();
  EXPECT_FALSE(run(*runner, inputs, outputs).ok()) << "an interruption takes no end back";
}

TEST_F(OnnxThreadsTest, TerminatingOneRunnerLeavesTheOthersOfItsSessionAlone) {
  const auto model = load(test_model("slow"));
  const auto ended = runner_of(*model, 2), other = runner_of(*model, 2);
  ended->terminate();
  const std::vector<std::int64_t> iterations{3, 1};
  const TensorView inputs[] = {view_of(iterations, {2})};
  std::vector<TensorView> outputs;
  EXPECT_FALSE(run(*ended, inputs, outputs).ok());
  ASSERT_TRUE(run(*other, inputs, outputs).ok());
  EXPECT_EQ(elements_of<std::int64_t>(outputs[0]), (std::vector<std::int64_t>{6, 4}));
}

TEST_F(OnnxThreadsTest, ALoadEndsSoonAfterItIsCancelled) {
  OnnxModelOptions options;
  options.cancellation = std::make_shared<LoadCancellation>();
  ErrorCode code{};
  steady_clock::time_point ended;
  std::thread thread([&] {
    const auto model = try_load(test_model("slow-load"), options);
    if (!model.ok()) code = model.error().code;
    ended = steady_clock::now();
  });
  std::this_thread::sleep_for(200ms);
  const auto told = steady_clock::now();
  options.cancellation->cancel();
  thread.join();
  EXPECT_EQ(code, ErrorCode::kCancelled);
  RecordProperty("cancel_us", std::to_string((ended - told) / 1us));
}

TEST_F(OnnxThreadsTest, ALoadCancelledBeforeItStartsFails) {
  OnnxModelOptions options;
  options.cancellation = std::make_shared<LoadCancellation>();
  options.cancellation->cancel();
  EXPECT_TRUE(options.cancellation->cancelled());
  const auto model = try_load(digits_model("fast"), options);
  ASSERT_FALSE(model.ok());
  EXPECT_EQ(model.error().code, ErrorCode::kCancelled);
  EXPECT_NE(model.error().message.find("was cancelled"), std::string::npos);
}

}  // namespace
}  // namespace millrace
