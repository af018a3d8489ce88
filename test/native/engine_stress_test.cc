// A million requests through a cascade and a diamond, with everything that can happen to them at
// once: cancellation, deadlines, poison, replicas that come and go, and in the end a close under
// load. Every accepted request is settled exactly once, with the right answer or the right error.
//
//   x -> fast, accurate where fast.score < 0.5
//   left: accurate, or else fast, + 10      right: fast + 20      join: left + right + 1000
//
// MILLRACE_SEED replays the choices of a run (not its timing).
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <random>

#include "each_settled.h"
#include "engine_harness.h"
#include "trial.h"

namespace millrace {
namespace {

using Refusal = SubmitResult::Refusal;

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif
constexpr int kRounds = 10;
constexpr int kRequestsPerRound = kSanitized ? 4'000 : 100'000;
constexpr Nanos kTimeLimit = 18'000 * kMs;
constexpr std::size_t kMaxPendingRows = 512;
constexpr std::size_t kMaxRows = 5;

std::uint64_t seed_of_run() {
  const char* given = std::getenv("MILLRACE_SEED");
  return given == nullptr ? std::random_device{}() : std::strtoull(given, nullptr, 10);
}

PipelineSpec stress_pipeline() {
  const std::vector models{fake_adding(1), fake_adding(100), fake_adding(10), fake_adding(20),
                           fake_adding(1000, 2)};
  for (const auto& model : models) model->script().record = false;
  PipelineSpec spec = pipeline_of({stage_of("fast", models[0], {{from_request()}}),
                                   stage_of("accurate", models[1], {{from_request()}}),
                                   stage_of("left", models[2], {{from_stage(1), from_stage(0)}}),
                                   stage_of("right", models[3], {{from_stage(0)}}),
                                   stage_of("join", models[4], {{from_stage(2)}, {from_stage(3)}})},
                                  {from_stage(4)});
  spec.stages[1].condition = Condition{from_stage(0, FakeModel::kScore), 0.5, {}, {}};
  spec.stages[3].max_delay = kMs / 20;
  spec.max_pending_rows = kMaxPendingRows;
  return spec;
}

float answer_to(float x, bool escalated) {
  return (x + (escalated ? 100.0f : 1.0f) + 10) + (x + 1 + 20) + 1000;
}

// What the owner knows of a request that it has not been told the end of.
struct Expected {
  bool pending = false;
  bool poisoned = false;
  Nanos deadline = kNever;
  std::vector<float> firsts;
};

struct Tally {
  std::uint64_t accepted = 0;
  std::uint64_t refused = 0;
  std::uint64_t cancelled = 0;
  std::array<std::uint64_t, kOutcomes> collected{};

  [[nodiscard]] std::uint64_t settled() const {
    std::uint64_t sum = cancelled;
    for (const std::uint64_t count : collected) sum += count;
    return sum;
  }
};

// The owner: submits, cancels, expires and collects, and checks what comes back.
class Owner {
 public:
  Owner(Engine& engine, det::Random& random)
      : engine_(engine), random_(random), output_(engine.spec().outputs[0], engine.layout()) {}

  // One turn of the event loop.
  void turn() {
    for (int burst = 1 + random_.below(24); burst > 0; --burst) {
      if (submit() == Refusal::kQueueFull) {
        std::this_thread::yield();
        break;
      }
    }
    if (random_.one_in(2)) cancel_one();
    if (random_.one_in(4)) engine_.expire();
    collect();
  }

  void collect() {
    each_settled(engine_, [this](const Request& request) { check(request); });
  }

  void cancel_one() {
    if (expected_.empty()) return;
    const auto index =
        static_cast<std::uint32_t>(random_.below(static_cast<int>(expected_.size())));
    if (!engine_.cancel(index)) return;
    EXPECT_TRUE(expected_[index].pending) << "it was settled before";
    expected_[index].pending = false;
    ++tally_.cancelled;
  }

  [[nodiscard]] const Tally& tally() const { return tally_; }
  [[nodiscard]] std::size_t requests_made() const { return expected_.size(); }
  void closing() { closing_ = true; }

 private:
  Refusal submit() {
    Expected wanted;
    SubmitOptions options;
    choose(wanted, options);
    const std::vector<float> rows = rows_of(wanted.firsts);
    CallerInput input;
    input.data = reinterpret_cast<const std::byte*>(rows.data());
    input.row_bytes = kWidth * sizeof(float);
    const SubmitResult result = engine_.submit(options, {&input, 1});
    if (result.refusal != Refusal::kNone) {
      ++tally_.refused;
      return result.refusal;
    }
    ++tally_.accepted;
    if (expected_.size() <= result.index) expected_.resize(result.index + 1);
    EXPECT_FALSE(expected_[result.index].pending) << "an index names one pending request";
    wanted.pending = true;
    expected_[result.index] = std::move(wanted);
    return Refusal::kNone;
  }

  void choose(Expected& wanted, SubmitOptions& options) {
    options.rows = 1 + static_cast<std::uint32_t>(random_.below(kMaxRows));
    options.priority = static_cast<std::uint8_t>(random_.below(kPriorityClasses));
    switch (random_.below(10)) {
      case 0:
        options.deadline = clock_.now() - random_.below(1'000);
        break;
      case 1:
        options.deadline = clock_.now() + random_.below(300'000);
        break;
      case 2:
        options.deadline = clock_.now() + 2'000 * kMs;
        break;
      default:
        break;
    }
    for (std::uint32_t row = 0; row < options.rows; ++row) {
      const auto size = static_cast<float>(1 + random_.below(1'000));
      wanted.firsts.push_back(random_.one_in(3) ? -size - 0.25f : size);
    }
    if (random_.one_in(50)) {
      wanted.poisoned = true;
      wanted.firsts[static_cast<std::size_t>(random_.below(static_cast<int>(options.rows)))] =
          kPoison;
    }
    wanted.deadline = options.deadline;
  }

  void check(const Request& request) {
    Expected& wanted = expected_[request.index()];
    EXPECT_TRUE(wanted.pending) << "settled twice";
    wanted.pending = false;
    const Outcome outcome = request.settlement.outcome();
    ++tally_.collected[static_cast<std::size_t>(outcome)];
    switch (outcome) {
      case Outcome::kCompleted:
        EXPECT_FALSE(wanted.poisoned);
        check_values(request, wanted);
        break;
      case Outcome::kFailed:
        EXPECT_TRUE(wanted.poisoned) << request.message;
        EXPECT_EQ(request.failed_stage, 0u);
        break;
      case Outcome::kDeadlineExceeded:
        // Early where a stage has said why.
        EXPECT_TRUE(wanted.deadline <= clock_.now() || !request.message.empty());
        break;
      case Outcome::kClosed:
        EXPECT_TRUE(closing_);
        break;
      case Outcome::kQueueFull:
        break;  // a replica was held up for a whole lap of the ring
      case Outcome::kPending:
      case Outcome::kCancelled:
        ADD_FAILURE() << "this is not collected";
        break;
    }
  }

  void check_values(const Request& request, const Expected& wanted) {
    ASSERT_EQ(request.rows(), wanted.firsts.size());
    values_.resize(wanted.firsts.size() * kWidth);
    read_fixed_output(engine_.spec().outputs[0], output_, engine_.layout(), request,
                      reinterpret_cast<std::byte*>(values_.data()));
    const std::vector<float> rows = rows_of(wanted.firsts);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const float right = answer_to(rows[i], wanted.firsts[i / kWidth] < 0.5f);
      if (std::abs(values_[i] - right) < 0.01f) continue;
      ADD_FAILURE() << "element " << i << " is " << values_[i] << " instead of " << right;
    }
  }

  Engine& engine_;
  det::Random& random_;
  const OutputLayout output_;
  const SteadyClock clock_{};
  std::vector<Expected> expected_;  // by index
  std::vector<float> values_;
  Tally tally_;
  bool closing_ = false;
};

// Scales stages up and down, to none and back, until the owner has had enough.
class Control {
 public:
  Control(Engine& engine, std::uint64_t seed)
      : thread_([this, &engine, seed] { run(engine, seed); }) {}
  ~Control() {
    done_ = true;
    thread_.join();
  }

 private:
  void run(Engine& engine, std::uint64_t seed) {
    det::Random random(seed);
    while (!done_) {
      const auto stage = static_cast<std::size_t>(random.below(5));
      const auto replicas = static_cast<std::size_t>(random.below(4));
      const Status status = engine.scale(stage, replicas);
      EXPECT_TRUE(status.ok() || status.error().code == ErrorCode::kClosed);
      std::this_thread::sleep_for(std::chrono::microseconds(random.below(500)));
      if (replicas == 0) engine.scale(stage, 1);
    }
  }

  std::atomic<bool> done_{false};
  std::thread thread_;
};

std::size_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::size_t total = 0;
  std::size_t resident = 0;
  statm >> total >> resident;
  return resident * 4096;
}

class EngineStress : public testing::Test {
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

  [[nodiscard]] bool out_of_time() const { return clock_.now() - began_ > kTimeLimit; }

  void serve(std::uint64_t requests) {
    const Control control(*engine_, random_.next());
    const std::uint64_t enough = owner_->tally().accepted + requests;
    while (owner_->tally().accepted < enough && !out_of_time() && !HasFailure()) owner_->turn();
  }

  // Until nothing is left in the pipeline.
  void settle() {
    for (std::size_t stage = 0; stage < engine_->spec().stages.size(); ++stage) {
      ASSERT_TRUE(engine_->scale(stage, 1).ok());
    }
    ASSERT_TRUE(eventually([&] {
      engine_->expire();
      owner_->collect();
      return engine_->pending() == 0 && engine_->stats().pending_rows == 0;
    }));
    EXPECT_EQ(owner_->tally().settled(), owner_->tally().accepted);
  }

  void check_statistics() {
    const EngineStats stats = engine_->stats();
    std::uint64_t outcomes = stats.shed;
    for (const std::uint64_t count : stats.outcomes) outcomes += count;
    EXPECT_EQ(outcomes, owner_->tally().accepted + owner_->tally().refused);
    EXPECT_EQ(stats.pending_requests, 0u);
    EXPECT_LT(owner_->requests_made(), 4 * kMaxPendingRows) << "requests are used again";
  }

  void report() const {
    const Tally& tally = owner_->tally();
    const auto count = [&](Outcome outcome) {
      return static_cast<unsigned long long>(tally.collected[static_cast<std::size_t>(outcome)]);
    };
    std::printf(
        "%llu accepted: %llu completed, %llu failed, %llu expired, %llu cancelled, %llu closed, "
        "%llu without a slot; %llu refused; %zu records; %.1f s\n",
        static_cast<unsigned long long>(tally.accepted), count(Outcome::kCompleted),
        count(Outcome::kFailed), count(Outcome::kDeadlineExceeded),
        static_cast<unsigned long long>(tally.cancelled), count(Outcome::kClosed),
        count(Outcome::kQueueFull), static_cast<unsigned long long>(tally.refused),
        owner_->requests_made(), static_cast<double>(clock_.now() - began_) / 1e9);
  }

  const SteadyClock clock_{};
  const Nanos began_ = clock_.now();
  const std::uint64_t seed_ = seed_of_run();
  det::Random random_{seed_};
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<Owner> owner_;
};

TEST_F(EngineStress, SettlesEveryRequestOnceAndKeepsItsMemory) {
  std::size_t resident_after_warming = 0;
  for (int round = 0; round < kRounds && !out_of_time() && !HasFailure(); ++round) {
    serve(kRequestsPerRound);
    settle();
    if (round == 1) resident_after_warming = resident_bytes();
  }
  check_statistics();
  report();
  const Tally& tally = owner_->tally();
  for (const Outcome outcome :
       {Outcome::kCompleted, Outcome::kFailed, Outcome::kDeadlineExceeded}) {
    EXPECT_GT(tally.collected[static_cast<std::size_t>(outcome)], 0u) << "it was not put to a test";
  }
  EXPECT_GT(tally.cancelled, 0u);
  if (!kSanitized && resident_after_warming > 0) {
    constexpr std::size_t kSlack = 12 << 20;
    EXPECT_LT(resident_bytes(), resident_after_warming + kSlack);
  }
}

TEST_F(EngineStress, SettlesEveryRequestOnceWhenClosedUnderLoad) {
  for (int round = 0; round < 10 && !HasFailure(); ++round) {
    if (round > 0) start();
    serve(kRequestsPerRound / 50);
    owner_->closing();
    const bool terminate = round % 2 == 0;
    {
      const Control control(*engine_, random_.next());
      std::atomic<bool> stopped{false};
      std::thread closer([&] {
        engine_->stop(terminate);
        stopped = true;
      });
      while (!stopped) owner_->turn();  // the event loop goes on
      closer.join();
    }
    engine_->abandon();
    owner_->collect();
    EXPECT_EQ(owner_->tally().settled(), owner_->tally().accepted);
    EXPECT_EQ(engine_->pending(), 0u);
    engine_.reset();
  }
  report();
}

}  // namespace
}  // namespace millrace
