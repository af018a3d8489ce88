// Thousands of small requests of random rows through nested fan-outs under several replicas, with
// cancellation, deadlines and poison: each is settled once, right, and nothing grows.
//
//   x -> split -> add 1 -> [even items] -> fine (fan-out) -> add 10 -> sum (gathers fine)
//               '------------------------------- or else ------------> join (gathers split, reads
//               x)
//
// MILLRACE_SEED replays the choices of a run (not its timing).
#include <cstdlib>
#include <fstream>
#include <random>

#include "each_settled.h"
#include "row_model.h"
#include "trial.h"

namespace millrace {
namespace {

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif
constexpr std::uint64_t kRequests = kSanitized ? 1'000 : 10'000;
constexpr std::size_t kMaxPendingRows = 256;

std::uint64_t seed_of_run() {
  const char* given = std::getenv("MILLRACE_SEED");
  return given == nullptr ? std::random_device{}() : std::strtoull(given, nullptr, 10);
}

std::size_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::size_t total = 0;
  std::size_t resident = 0;
  statm >> total >> resident;
  return resident * 4096;
}

std::shared_ptr<FakeModel> quiet(float add, std::size_t inputs = 1) {
  const auto model = fake_adding(add, inputs);
  model->script().record = false;
  return model;
}

PipelineSpec stress_pipeline() {
  PipelineSpec spec = pipeline_of(
      {fan_out_of("split", splitter(), {{from_request()}}),
       stage_of("add", quiet(1), {{from_stage(0, kItems)}}),
       fan_out_of("fine", splitter(true), {{from_stage(1)}}),
       stage_of("ten", quiet(10, 2), {{from_stage(2, kItems)}, {from_request()}}),
       gather_of("sum", summer(), 2, {{from_stage(3)}}),
       gather_of("join", summer(1), 0, {{from_stage(4), from_stage(1)}, {from_request()}})},
      {from_stage(5)});
  spec.stages[2].condition = Condition{from_stage(0, kTags), 1.5, {}, {}};
  spec.max_pending_rows = kMaxPendingRows;
  for (StageSpec& stage : spec.stages) stage.replicas = 2;
  return spec;
}

std::vector<float> answer_to(float x) {
  float sum = 0;
  float weighted = 0;
  const std::vector<float> items = items_of({x});
  for (std::size_t i = 0; i < items.size(); ++i) {
    float value = items[i] + 1;
    if (i < 2) {  // by its tag
      float fine = 0;
      for (const float one : items_of({value})) fine += one + x + 10;
      value = fine;
    }
    sum += value;
    weighted += value * static_cast<float>(i + 1);
  }
  return {sum, static_cast<float>(items.size()), weighted, x};
}

struct Expected {
  bool pending = false;
  bool poisoned = false;
  Nanos deadline = kNever;
  std::vector<float> firsts;
};

class Owner {
 public:
  Owner(Engine& engine, det::Random& random)
      : engine_(engine), random_(random), output_(engine.spec().outputs[0], engine.layout()) {}

  void turn() {
    for (int burst = 1 + random_.below(8); burst > 0 && submit(); --burst) {
    }
    if (random_.one_in(4)) cancel_one();
    if (random_.one_in(4)) engine_.expire();
    collect();
  }

  void collect() {
    each_settled(engine_, [this](const Request& request) { check(request); });
  }

  [[nodiscard]] std::size_t requests_made() const { return expected_.size(); }

  std::uint64_t accepted = 0;
  std::uint64_t settled = 0;
  std::array<std::uint64_t, kOutcomes> outcomes{};

 private:
  bool submit() {
    Expected wanted = choose();
    const std::vector<float> rows = rows_of(wanted.firsts);
    CallerInput input;
    input.data = reinterpret_cast<const std::byte*>(rows.data());
    input.row_bytes = kWidth * sizeof(float);
    SubmitOptions options;
    options.rows = static_cast<std::uint32_t>(wanted.firsts.size());
    options.priority = static_cast<std::uint8_t>(random_.below(kPriorityClasses));
    options.deadline = wanted.deadline;
    const SubmitResult result = engine_.submit(options, {&input, 1});
    if (result.refusal != SubmitResult::Refusal::kNone) {
      std::this_thread::yield();
      return false;
    }
    ++accepted;
    if (expected_.size() <= result.index) expected_.resize(result.index + 1);
    EXPECT_FALSE(expected_[result.index].pending) << "an index names one pending request";
    wanted.pending = true;
    expected_[result.index] = std::move(wanted);
    return true;
  }

  Expected choose() {
    Expected wanted;
    for (int rows = 1 + random_.below(3); rows > 0; --rows) {
      wanted.firsts.push_back(static_cast<float>(random_.below(6)));
    }
    if (random_.one_in(40)) {
      wanted.poisoned = true;
      wanted.firsts.back() = kPoison;
    }
    if (random_.one_in(8)) wanted.deadline = engine_now() + random_.below(400'000);
    return wanted;
  }

  void cancel_one() {
    if (expected_.empty()) return;
    const auto index =
        static_cast<std::uint32_t>(random_.below(static_cast<int>(expected_.size())));
    if (!engine_.cancel(index)) return;
    EXPECT_TRUE(expected_[index].pending) << "it was settled before";
    expected_[index].pending = false;
    ++settled;
  }

  void check(const Request& request) {
    Expected& wanted = expected_[request.index()];
    EXPECT_TRUE(wanted.pending) << "settled twice";
    wanted.pending = false;
    ++settled;
    const Outcome outcome = request.settlement.outcome();
    ++outcomes[static_cast<std::size_t>(outcome)];
    if (outcome == Outcome::kCompleted) {
      EXPECT_FALSE(wanted.poisoned);
      check_values(request, wanted);
    } else if (outcome == Outcome::kFailed) {
      EXPECT_TRUE(wanted.poisoned) << request.message;
    }
  }

  void check_values(const Request& request, const Expected& wanted) {
    std::vector<float> values(wanted.firsts.size() * kWidth);
    read_fixed_output(engine_.spec().outputs[0], output_, engine_.layout(), request,
                      reinterpret_cast<std::byte*>(values.data()));
    for (std::size_t row = 0; row < wanted.firsts.size(); ++row) {
      const std::vector<float> right = answer_to(wanted.firsts[row]);
      for (std::size_t i = 0; i < kWidth; ++i) {
        EXPECT_NEAR(values[row * kWidth + i], right[i], 0.5) << wanted.firsts[row] << ", " << i;
      }
    }
  }

  [[nodiscard]] Nanos engine_now() const { return clock_.now(); }

  Engine& engine_;
  det::Random& random_;
  const OutputLayout output_;
  const SteadyClock clock_{};
  std::vector<Expected> expected_;
};

class EngineFanOutStress : public testing::Test {
 protected:
  void SetUp() override {
    std::printf("MILLRACE_SEED=%llu\n", static_cast<unsigned long long>(seed_));
    start();
  }

  void start() {
    auto created = Engine::create(stress_pipeline(), clock_, [] {});
    ASSERT_TRUE(created.ok());
    engine_ = std::move(created.value());
    owner_ = std::make_unique<Owner>(*engine_, random_);
  }

  void serve(std::uint64_t requests) {
    const std::uint64_t enough = owner_->accepted + requests;
    while (owner_->accepted < enough && !HasFailure()) owner_->turn();
  }

  // Until nothing is left in the pipeline.
  void settle() {
    ASSERT_TRUE(eventually([&] {
      engine_->expire();
      owner_->collect();
      return engine_->pending() == 0 && engine_->stats().pending_rows == 0;
    }));
    EXPECT_EQ(owner_->settled, owner_->accepted);
  }

  const SteadyClock clock_{};
  const std::uint64_t seed_ = seed_of_run();
  det::Random random_{seed_};
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<Owner> owner_;
};

TEST_F(EngineFanOutStress, SettlesEveryRequestOnceAndUsesItsMemoryAgain) {
  serve(kRequests);
  settle();
  const std::size_t after_warming = resident_bytes();
  serve(2 * kRequests);
  settle();
  constexpr std::size_t kSlack = 4 << 20;
  if (!kSanitized && after_warming > 0) {
    EXPECT_LT(resident_bytes(), after_warming + kSlack);
  }
  EXPECT_LE(owner_->requests_made(), 2 * kMaxPendingRows) << "requests are used again";
  for (const Outcome outcome :
       {Outcome::kCompleted, Outcome::kFailed, Outcome::kDeadlineExceeded}) {
    EXPECT_GT(owner_->outcomes[static_cast<std::size_t>(outcome)], 0u)
        << "outcome " << static_cast<int>(outcome) << " was not put to a test";
  }
}

TEST_F(EngineFanOutStress, CountsNoRowOfWhatIsAnswered) {
  EngineHarness engine(stress_pipeline());
  for (std::uint64_t i = 0; i < kRequests / 2 && !HasFailure(); ++i) {
    engine.infer({3, 1, 5, 2});
    EXPECT_EQ(engine.engine().stats().pending_rows, 0u) << "after " << i << " requests";
  }
}

TEST_F(EngineFanOutStress, SettlesEveryRequestOnceWhenClosedUnderLoad) {
  for (int round = 0; round < 10 && !HasFailure(); ++round) {
    if (round > 0) start();
    serve(kRequests / 50);
    engine_->stop(round % 2 == 0);
    owner_->turn();
    engine_->abandon();
    owner_->collect();
    EXPECT_EQ(owner_->settled, owner_->accepted);
    EXPECT_EQ(engine_->pending(), 0u);
    EXPECT_EQ(engine_->stats().pending_rows, 0u);
    engine_.reset();
  }
}

}  // namespace
}  // namespace millrace
