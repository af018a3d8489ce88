// Calls to functions, without JavaScript: a thread stands for each environment.
#include "model/function_exchange.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "model/function_model.h"

namespace millrace {
namespace {

constexpr Nanos kMs = kNanosPerMilli;

std::shared_ptr<FunctionModel> doubling(Nanos timeout = kNever) {
  FunctionModelOptions options;
  options.name = "double()";
  options.inputs = {{"x", DataType::kFloat32, {-1}, {}}};
  options.outputs = {{"y", DataType::kFloat32, {-1}, {}}};
  options.timeout = timeout;
  return FunctionModel::make(std::move(options));
}

// A replica's side: one run at a time.
struct Caller {
  explicit Caller(const std::shared_ptr<FunctionModel>& model)
      : runner(std::move(model->make_runner({{0}, 64}).value())) {}

  Status run(std::vector<float> rows) {
    values = std::move(rows);
    const auto count = static_cast<std::int64_t>(values.size());
    const std::vector<TensorView> inputs{
        {reinterpret_cast<const std::byte*>(values.data()), nullptr, {count}}};
    return runner->run({values.size(), kNever, inputs, {}}, result);
  }
  [[nodiscard]] float output(std::size_t row) const {
    float value = 0;
    std::memcpy(&value, result.outputs[0].data + row * sizeof value, sizeof value);
    return value;
  }

  std::unique_ptr<Runner> runner;
  std::vector<float> values;
  RunResult result;
};

FunctionAnswer doubled(const RunBatch& batch) {
  FunctionAnswer answer;
  FunctionOutput output;
  output.bytes.resize(batch.rows * sizeof(float));
  for (std::size_t row = 0; row < batch.rows; ++row) {
    float value = 0;
    std::memcpy(&value, batch.inputs[0].data + row * sizeof value, sizeof value);
    value *= 2;
    std::memcpy(output.bytes.data() + row * sizeof value, &value, sizeof value);
  }
  output.dims = {{static_cast<std::int64_t>(batch.rows)}};
  answer.outputs.push_back(std::move(output));
  return answer;
}

// An environment's side: takes calls as its event loop would, until told to leave.
class Server {
 public:
  using Serve = std::function<void(FunctionPort&, FunctionPort::Task&)>;

  Server(const std::shared_ptr<FunctionModel>& model, std::uint32_t seat, Serve serve = answer_it,
         bool replaceable = true)
      : serve_(std::move(serve)) {
    FunctionPortOptions options;
    options.seat = seat;
    options.replaceable = replaceable;
    options.on_news = [this] { news_.store(true); };
    port_ = model->exchange()->open(options);
    thread_ = std::thread([this] { loop(); });
  }
  ~Server() { leave(); }

  void leave() {
    leaving_.store(true);
    if (thread_.joinable()) thread_.join();
    port_->close();
  }
  FunctionPort& port() { return *port_; }
  std::atomic<int> aborted{0};
  std::atomic<int> served{0};

  static void answer_it(FunctionPort& port, FunctionPort::Task& task) {
    FunctionAnswer answer = doubled(*task.batch);
    port.begun(task.id);
    port.answer(task.id, std::move(answer));
  }
  static void keep_it(FunctionPort& port, FunctionPort::Task& task) { port.begun(task.id); }

 private:
  void loop() {
    while (!leaving_.load()) {
      if (!news_.exchange(false)) {
        std::this_thread::yield();
        continue;
      }
      FunctionPort::Task task;
      while (port_->take(task)) {
        serve_(*port_, task);
        ++served;
      }
      aborted += static_cast<int>(port_->take_aborted().size());
    }
  }

  const Serve serve_;
  std::shared_ptr<FunctionPort> port_;
  std::atomic<bool> news_{true};
  std::atomic<bool> leaving_{false};
  std::thread thread_;
};

void wait_until(const std::function<bool()>& holds) {
  while (!holds()) std::this_thread::yield();
}

TEST(FunctionModel, IsFoundByItsNumberWhileItLives) {
  auto model = doubling();
  const std::uint32_t id = model->id();
  EXPECT_EQ(FunctionModel::find(id), model);
  model.reset();
  EXPECT_EQ(FunctionModel::find(id), nullptr);
}

TEST(FunctionExchange, GivesACallToAPortAndReturnsItsAnswer) {
  const auto model = doubling();
  const Server server(model, 1);
  Caller caller(model);
  ASSERT_TRUE(caller.run({1, 2, 3}).ok());
  EXPECT_EQ(caller.result.outputs[0].dims, std::vector<std::int64_t>{3});
  EXPECT_EQ(caller.output(2), 6);
  ASSERT_TRUE(caller.run({21}).ok());
  EXPECT_EQ(caller.output(0), 42);
}

TEST(FunctionExchange, KeepsACallUntilAPortIsOpened) {
  const auto model = doubling();
  Caller caller(model);
  std::thread replica([&] { EXPECT_TRUE(caller.run({4}).ok()); });
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  const Server server(model, 1);
  replica.join();
  EXPECT_EQ(caller.output(0), 8);
}

TEST(FunctionExchange, FailsEveryRowOfACallForWhichNoPortComesInTime) {
  const auto model = doubling(20 * kMs);
  Caller caller(model);
  ASSERT_TRUE(caller.run({1, 2}).ok());
  ASSERT_EQ(caller.result.failed.size(), 2U);
  EXPECT_NE(caller.result.failed[1].error.message.find("within 20 ms"), std::string::npos);
}

TEST(FunctionExchange, FailsCallsAtOnceWhileItHasAFailureAndNoPort) {
  const auto model = doubling();
  Caller caller(model);
  std::thread replica([&] { EXPECT_TRUE(caller.run({1}).ok()); });
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  model->exchange()->set_failure(Error{ErrorCode::kStageFailed, "setup threw", "{}"});
  replica.join();
  EXPECT_EQ(caller.result.failed[0].error.message, "setup threw");
  EXPECT_EQ(caller.result.failed[0].error.detail, "{}");
  ASSERT_TRUE(caller.run({1}).ok());
  EXPECT_EQ(caller.result.failed.size(), 1U);
  model->exchange()->set_failure(std::nullopt);
  const Server server(model, 1);
  ASSERT_TRUE(caller.run({1}).ok());
  EXPECT_TRUE(caller.result.failed.empty());
}

TEST(FunctionExchange, FailsACallThatIsNotAnsweredInTimeAndReportsItsSeat) {
  const auto model = doubling(20 * kMs);
  std::atomic<int> reports{0};
  model->exchange()->watch([&] { ++reports; });
  Server server(model, 7, Server::keep_it);
  Caller caller(model);
  ASSERT_TRUE(caller.run({1}).ok());
  EXPECT_NE(caller.result.failed[0].error.message.find("did not answer within 20 ms"),
            std::string::npos);
  EXPECT_EQ(reports.load(), 1);
  EXPECT_EQ(model->exchange()->take_overdue(), std::vector<std::uint32_t>{7});
  wait_until([&] { return server.aborted.load() == 1; });
  // The port is given nothing more, another is.
  const Server other(model, 8);
  ASSERT_TRUE(caller.run({1}).ok());
  EXPECT_TRUE(caller.result.failed.empty());
  model->exchange()->unwatch();
}

TEST(FunctionExchange, GoesOnWithAPortThatCannotBeReplaced) {
  const auto model = doubling(20 * kMs);
  std::atomic<int> calls{0};
  const Server server(
      model, 1,
      [&](FunctionPort& port, FunctionPort::Task& task) {
        if (++calls == 1) {
          port.begun(task.id);
          port.answer(task.id, {});  // has room again
          return;
        }
        Server::answer_it(port, task);
      },
      false);
  Caller caller(model);
  std::vector<float> one{1};
  // An answer of no outputs cannot be asked for any: only that the port goes on matters here.
  const auto exchange = model->exchange();
  FunctionCall call;
  const RunBatch batch{1, kNever, {}, {}};
  exchange->call(call, batch);
  ASSERT_TRUE(caller.run({2}).ok());
  EXPECT_EQ(caller.output(0), 4);
}

TEST(FunctionExchange, FailsWhatAPortHadInHandWhenItClosesWithTheReasonGiven) {
  const auto model = doubling();
  Server server(model, 3, Server::keep_it);
  Caller caller(model);
  std::thread replica([&] { EXPECT_TRUE(caller.run({1, 2}).ok()); });
  wait_until([&] { return server.served.load() == 1; });
  server.leave();
  EXPECT_EQ(model->exchange()->explain(3, {ErrorCode::kStageFailed, "exited with code 9"}), 0U);
  replica.join();
  ASSERT_EQ(caller.result.failed.size(), 2U);
  EXPECT_EQ(caller.result.failed[0].error.message, "exited with code 9");
}

TEST(FunctionExchange, FailsWhatAPortHadInHandSoonAlsoWithoutAReason) {
  const auto model = doubling();
  Server server(model, 3, Server::keep_it);
  Caller caller(model);
  std::thread replica([&] { EXPECT_TRUE(caller.run({1}).ok()); });
  wait_until([&] { return server.served.load() == 1; });
  server.leave();
  replica.join();
  EXPECT_NE(caller.result.failed[0].error.message.find("ended before it answered"),
            std::string::npos);
}

TEST(FunctionExchange, OffersAnotherPortWhatWasNotTakenFromOneThatCloses) {
  const auto model = doubling();
  FunctionPortOptions options;
  options.seat = 1;
  options.on_news = [] {};
  const auto asleep = model->exchange()->open(options);
  Caller caller(model);
  std::thread replica([&] { EXPECT_TRUE(caller.run({5}).ok()); });
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  const Server server(model, 2);
  asleep->close();
  replica.join();
  EXPECT_EQ(caller.output(0), 10);
}

TEST(FunctionExchange, EndsARunAtOnceWhenItIsTerminated) {
  const auto model = doubling();
  Server server(model, 1, Server::keep_it);
  Caller running(model);
  Caller waiting(model);
  const auto expect_cancelled = [](Caller& caller) {
    const Status status = caller.run({1});
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().code, ErrorCode::kCancelled);
  };
  std::thread first([&] { expect_cancelled(running); });
  std::thread second([&] { expect_cancelled(waiting); });
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  running.runner->terminate();
  waiting.runner->terminate();
  first.join();
  second.join();
  expect_cancelled(running);
}

TEST(FunctionExchange, TellsTheFunctionThatNobodyWaitsAndGoesOnWaitingForIt) {
  const auto model = doubling();
  std::atomic<std::uint32_t> taken{0};
  Server server(model, 1, [&](FunctionPort& port, FunctionPort::Task& task) {
    port.begun(task.id);
    taken.store(task.id);
  });
  Caller caller(model);
  std::thread replica([&] { EXPECT_FALSE(caller.run({1}).ok()); });
  wait_until([&] { return taken.load() != 0; });
  caller.runner->interrupt();
  wait_until([&] { return server.aborted.load() == 1; });
  FunctionAnswer answer;
  answer.error = Error{ErrorCode::kStageFailed, "aborted"};
  server.port().answer(taken.load(), std::move(answer));
  replica.join();
}

TEST(FunctionExchange, InterruptsTheNextCallWhereNoneIsInProgress) {
  const auto model = doubling();
  const Server server(model, 1, Server::answer_it);
  Caller caller(model);
  caller.runner->interrupt();
  const Status status = caller.run({1});
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kCancelled);
  caller.runner->resume();
  EXPECT_TRUE(caller.run({1}).ok());
}

TEST(FunctionExchange, RetiresAnIdlePortOnly) {
  const auto model = doubling();
  Server busy(model, 1, Server::keep_it);
  Caller caller(model);
  std::thread replica([&] { EXPECT_FALSE(caller.run({1}).ok()); });
  wait_until([&] { return busy.served.load() == 1; });
  const Server idle(model, 2);
  EXPECT_EQ(model->exchange()->retire_idle(), 2U);
  EXPECT_EQ(model->exchange()->retire_idle(), std::nullopt);
  caller.runner->terminate();
  replica.join();
}

TEST(FunctionRunner, HandsOnRowsOfTheirOwnShapesAndRowsThatFailed) {
  const auto model = doubling();
  const Server server(model, 1, [](FunctionPort& port, FunctionPort::Task& task) {
    FunctionAnswer answer;
    FunctionOutput output;
    output.ragged = true;
    output.dims = {{2}, {}, {0}, {1}};
    output.bytes.resize(3 * sizeof(float));
    answer.outputs.push_back(std::move(output));
    answer.failed.push_back({1, {ErrorCode::kStageFailed, "bad row"}});
    port.begun(task.id);
    port.answer(task.id, std::move(answer));
  });
  Caller caller(model);
  ASSERT_TRUE(caller.run({1, 2, 3, 4}).ok());
  const auto& rows = caller.result.ragged[0];
  ASSERT_EQ(rows.size(), 4U);
  EXPECT_EQ(rows[3].data - rows[0].data, 2 * static_cast<std::ptrdiff_t>(sizeof(float)));
  ASSERT_EQ(caller.result.failed.size(), 1U);
  EXPECT_EQ(caller.result.failed[0].row, 1U);
}

// Replicas call while ports come and go and replicas are terminated; every run returns, and what
// was answered is right.
TEST(FunctionExchange, LosesNoCallWhilePortsComeAndGo) {
  const auto model = doubling(2'000 * kMs);
  std::atomic<bool> done{false};
  std::atomic<int> answered{0};
  std::vector<std::thread> replicas;
  for (int i = 0; i < 3; ++i) {
    replicas.emplace_back([&] {
      Caller caller(model);
      for (float n = 0; n < 400; ++n) {
        if (!caller.run({n, n + 1}).ok() || !caller.result.failed.empty()) continue;
        EXPECT_EQ(caller.output(1), 2 * (n + 1));
        ++answered;
      }
    });
  }
  std::thread control([&] {
    for (std::uint32_t seat = 1; !done.load(); ++seat) {
      const Server first(model, 2 * seat);
      Server second(model, 2 * seat + 1, seat % 4 == 0 ? Server::keep_it : Server::answer_it);
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      second.leave();
      model->exchange()->explain(2 * seat + 1, {ErrorCode::kStageFailed, "left"});
    }
  });
  for (std::thread& replica : replicas) replica.join();
  done.store(true);
  control.join();
  EXPECT_GT(answered.load(), 100);
}

}  // namespace
}  // namespace millrace
