// Few distinct rows through stages that share their results, with everything that can happen to
// them at once: cancellation, deadlines, poison, results that expire, are evicted and cleared,
// replicas that come and go, a close under load. Every accepted request is settled exactly once,
// with the right answer, and fails only for a poisoned row of its own.
//
//   x -> a (cached) -> b (cached, little room) -> join (cached, shares in flight only) <- a
//
// MILLRACE_SEED replays the choices of a run (not its timing).
#include <cstdio>
#include <cstdlib>
#include <random>

#include "each_settled.h"
#include "engine_harness.h"
#include "trial.h"

namespace millrace {
namespace {

using Refusal = SubmitResult::Refusal;

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr int kRequests = 12'000;
#else
constexpr int kRequests = 150'000;
#endif
constexpr Nanos kTimeLimit = 12'000 * kMs;
constexpr int kDistinct = 12;
constexpr std::size_t kStages = 3;

std::uint64_t seed_of_run() {
  const char* given = std::getenv("MILLRACE_SEED");
  return given == nullptr ? std::random_device{}() : std::strtoull(given, nullptr, 10);
}

// What a stage is served by, and swapped for.
std::shared_ptr<FakeModel> model_of(std::size_t stage) {
  const auto model = stage == 0   ? fake_adding(1)
                     : stage == 1 ? fake_adding(10)
                                  : fake_adding(1000, 2);
  model->script().record = false;
  return model;
}

PipelineSpec stress_pipeline() {
  const std::vector models{model_of(0), model_of(1), model_of(2)};
  PipelineSpec spec = pipeline_of(
      {stage_of("a", models[0], {{from_request()}}), stage_of("b", models[1], {{from_stage(0)}}),
       stage_of("join", models[2], {{from_stage(0)}, {from_stage(1)}})},
      {from_stage(2)});
  spec.stages[0].cache = CacheSpec{1 << 20, kMs / 10};
  spec.stages[1].cache = CacheSpec{1500, kNever};
  spec.stages[2].cache = CacheSpec{0, kNever};
  spec.stages[1].max_delay = kMs / 50;
  spec.max_pending_rows = 256;
  return spec;
}

// What the owner knows of a request that it has not been told the end of.
struct Expected {
  bool pending = false;
  bool poisoned = false;
  std::vector<float> firsts;
};

class EngineCacheStress : public testing::Test {
 protected:
  void SetUp() override {
    std::printf("MILLRACE_SEED=%llu\n", static_cast<unsigned long long>(seed_));
    start();
  }

  void start() {
    auto created = Engine::create(stress_pipeline(), clock_, [] {});
    ASSERT_TRUE(created.ok());
    engine_ = std::move(created.value());
    output_ = std::make_unique<OutputLayout>(engine_->spec().outputs[0], engine_->layout());
    expected_.clear();
    accepted_ = settled_ = 0;
    closing_ = false;
  }

  // One turn of the event loop.
  void turn() {
    for (int burst = 1 + random_.below(24); burst > 0; --burst) submit();
    if (random_.one_in(2)) cancel_one();
    if (random_.one_in(4)) engine_->expire();
    collect();
  }

  void submit() {
    Expected wanted;
    SubmitOptions options;
    options.rows = 1 + static_cast<std::uint32_t>(random_.below(4));
    options.priority = static_cast<std::uint8_t>(random_.below(kPriorityClasses));
    if (random_.one_in(4)) options.deadline = clock_.now() + random_.below(200'000);
    for (std::uint32_t row = 0; row < options.rows; ++row) {
      const bool poison = random_.one_in(60);
      wanted.poisoned = wanted.poisoned || poison;
      wanted.firsts.push_back(poison ? kPoison : static_cast<float>(random_.below(kDistinct)));
    }
    const std::vector<float> rows = rows_of(wanted.firsts);
    CallerInput input;
    input.data = reinterpret_cast<const std::byte*>(rows.data());
    input.row_bytes = kWidth * sizeof(float);
    const SubmitResult result = engine_->submit(options, {&input, 1});
    if (result.refusal != Refusal::kNone) return;
    ++accepted_;
    if (expected_.size() <= result.index) expected_.resize(result.index + 1);
    EXPECT_FALSE(expected_[result.index].pending) << "an index names one pending request";
    wanted.pending = true;
    expected_[result.index] = std::move(wanted);
  }

  void cancel_one() {
    if (expected_.empty()) return;
    const auto index =
        static_cast<std::uint32_t>(random_.below(static_cast<int>(expected_.size())));
    if (!engine_->cancel(index)) return;
    EXPECT_TRUE(expected_[index].pending) << "it was settled before";
    expected_[index].pending = false;
    ++settled_;
  }

  void collect() {
    each_settled(*engine_, [this](const Request& request) { check(request); });
  }

  void check(const Request& request) {
    Expected& wanted = expected_[request.index()];
    EXPECT_TRUE(wanted.pending) << "settled twice";
    wanted.pending = false;
    ++settled_;
    const Outcome outcome = request.settlement.outcome();
    ++outcomes_[static_cast<std::size_t>(outcome)];
    EXPECT_TRUE(outcome != Outcome::kFailed || wanted.poisoned) << request.message;
    EXPECT_TRUE(outcome != Outcome::kClosed || closing_);
    if (outcome != Outcome::kCompleted) return;
    EXPECT_FALSE(wanted.poisoned);
    std::vector<float> values(wanted.firsts.size() * kWidth);
    read_fixed_output(engine_->spec().outputs[0], *output_, engine_->layout(), request,
                      reinterpret_cast<std::byte*>(values.data()));
    const std::vector<float> rows = rows_of(wanted.firsts);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      EXPECT_NEAR(values[i], (rows[i] + 1) + (rows[i] + 1 + 10) + 1000, 0.01f);
    }
  }

  // Scales and swaps, which clears, until the owner has had enough.
  void disturb(const std::atomic<bool>& done, std::uint64_t seed) {
    det::Random random(seed);
    while (!done) {
      const auto stage = static_cast<std::size_t>(random.below(kStages));
      const auto replicas = static_cast<std::size_t>(random.below(4));
      engine_->scale(stage, replicas);
      const auto swapped = static_cast<std::size_t>(random.below(kStages));
      const StageChange swap{swapped, model_of(swapped), {}, {}, {}};
      EXPECT_TRUE(engine_->reconfigure({&swap, 1}).ok());
      (void)engine_->stats();
      std::this_thread::sleep_for(std::chrono::microseconds(random.below(500)));
      if (replicas == 0) engine_->scale(stage, 1);
    }
  }

  void serve(std::uint64_t requests) {
    std::atomic<bool> done{false};
    std::thread control([&, seed = random_.next()] { disturb(done, seed); });
    const std::uint64_t enough = accepted_ + requests;
    const Nanos limit = clock_.now() + kTimeLimit;
    while (accepted_ < enough && clock_.now() < limit && !HasFailure()) turn();
    done = true;
    control.join();
  }

  const SteadyClock clock_{};
  const std::uint64_t seed_ = seed_of_run();
  det::Random random_{seed_};
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<OutputLayout> output_;
  std::vector<Expected> expected_;  // by index
  std::uint64_t accepted_ = 0;
  std::uint64_t settled_ = 0;
  std::array<std::uint64_t, kOutcomes> outcomes_{};
  bool closing_ = false;
};

TEST_F(EngineCacheStress, SettlesEveryRequestOnce) {
  serve(kRequests);
  for (std::size_t stage = 0; stage < kStages; ++stage) {
    ASSERT_TRUE(engine_->scale(stage, 2).ok());
  }
  ASSERT_TRUE(eventually([&] {
    engine_->expire();
    collect();
    return engine_->pending() == 0 && engine_->stats().pending_rows == 0;
  }));
  EXPECT_EQ(settled_, accepted_);
  const EngineStats stats = engine_->stats();
  for (const StageStats& stage : stats.stages) {
    std::printf("%s: %llu hits, %llu shared, %llu misses, %llu evictions\n", stage.name.c_str(),
                static_cast<unsigned long long>(stage.cache->hits),
                static_cast<unsigned long long>(stage.cache->shared),
                static_cast<unsigned long long>(stage.cache->misses),
                static_cast<unsigned long long>(stage.cache->evictions));
    EXPECT_GT(stage.cache->shared, 0u) << "it was not put to a test";
  }
  EXPECT_GT(stats.stages[0].cache->hits, 0u);
  EXPECT_GT(stats.stages[1].cache->evictions, 0u);
  for (const Outcome outcome :
       {Outcome::kCompleted, Outcome::kFailed, Outcome::kDeadlineExceeded}) {
    EXPECT_GT(outcomes_[static_cast<std::size_t>(outcome)], 0u) << "it was not put to a test";
  }
}

TEST_F(EngineCacheStress, SettlesEveryRequestOnceWhenClosedUnderLoad) {
  for (int round = 0; round < 10 && !HasFailure(); ++round) {
    if (round > 0) start();
    serve(kRequests / 50);
    closing_ = true;
    std::atomic<bool> stopped{false};
    std::thread closer([&] {
      engine_->stop(round % 2 == 0);
      stopped = true;
    });
    while (!stopped) turn();  // the event loop goes on
    closer.join();
    engine_->abandon();
    collect();
    EXPECT_EQ(settled_, accepted_);
    EXPECT_EQ(engine_->pending(), 0u);
    engine_.reset();
  }
}

}  // namespace
}  // namespace millrace
