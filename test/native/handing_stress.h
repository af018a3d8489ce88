// Stages that hand their values on, with everything that can happen to them at once: models that
// become others and back, replicas that come and go, requests that are cancelled and expire,
// launches that fail, memory that is not to be had, an engine that is closed under load. Every
// request is settled once, with the right answer, and nothing stays on the device.
//
// MILLRACE_SEED replays the choices of a run (not its timing).
#pragma once

#include <array>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include "cuda_chain.h"
#include "each_settled.h"
#include "trial.h"

namespace millrace {

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
inline constexpr std::uint64_t kRequests = 10'000;
#else
inline constexpr std::uint64_t kRequests = 40'000;
#endif
inline constexpr Nanos kTimeLimit = 12'000 * kMs;

inline std::uint64_t seed_of_run() {
  const char* given = std::getenv("MILLRACE_SEED");
  return given == nullptr ? std::random_device{}() : std::strtoull(given, nullptr, 10);
}

// Over a fixture that is a CudaHandingTest.
template <class Fixture>
class HandingStress : public Fixture {
 protected:
  // The stages that change come first. What the pipeline gives is its input times factor().
  virtual PipelineSpec pipeline() = 0;
  [[nodiscard]] virtual float factor() const = 0;
  [[nodiscard]] virtual int changing() const = 0;

  // For a stage that changes; one that needs nothing of the device.
  virtual std::shared_ptr<Model> some_model(std::size_t stage, det::Random& random) = 0;
  virtual std::shared_ptr<Model> host_model(std::size_t) {
    return std::make_shared<HostDoubleModel>();
  }
  virtual void break_something(det::Random& random) {
    if (random.one_in(6)) this->control_->fail("cuLaunchKernel", 1, random.below(4));
    if (random.one_in(3)) this->control_->fail("cuMemAlloc_v2", 2, random.below(6));
  }

  void start() {
    this->control_->reset();  // faults that nothing came to
    auto created = Engine::create(pipeline(), clock_, [] {});
    ASSERT_TRUE(created.ok());
    engine_ = std::move(created.value());
    output_ = std::make_unique<OutputLayout>(engine_->spec().outputs[0], engine_->layout());
    pending_.clear();
    accepted_ = settled_ = 0;
  }

  // One turn of the event loop.
  void turn() {
    for (int burst = 1 + random_.below(12); burst > 0; --burst) submit();
    if (random_.one_in(3) && !pending_.empty()) cancel_one();
    if (random_.one_in(4)) engine_->expire();
    collect();
  }

  void submit() {
    SubmitOptions options;
    options.rows = 1 + static_cast<std::uint32_t>(random_.below(6));
    if (random_.one_in(4)) options.deadline = clock_.now() + random_.below(2'000'000);
    std::vector<float> firsts;
    for (std::uint32_t row = 0; row < options.rows; ++row)
      firsts.push_back(static_cast<float>(random_.below(1000)));
    const std::vector<float> rows = rows_of(firsts);
    CallerInput input;
    input.data = reinterpret_cast<const std::byte*>(rows.data());
    input.row_bytes = kWidth * sizeof(float);
    const SubmitResult result = engine_->submit(options, {&input, 1});
    if (result.refusal != SubmitResult::Refusal::kNone) return;
    ++accepted_;
    EXPECT_TRUE(pending_.emplace(result.index, rows).second) << "an index names one request";
  }

  void cancel_one() {
    const auto index = pending_.begin()->first;
    if (!engine_->cancel(index)) return;
    pending_.erase(index);
    ++settled_;
  }

  void collect() {
    each_settled(*engine_, [this](const Request& request) { check(request); });
  }

  void check(const Request& request) {
    const auto found = pending_.find(request.index());
    ASSERT_NE(found, pending_.end()) << "settled twice";
    const std::vector<float> rows = std::move(found->second);
    pending_.erase(found);
    ++settled_;
    ++outcomes_[static_cast<std::size_t>(request.settlement.outcome())];
    if (request.settlement.outcome() != Outcome::kCompleted) return;
    std::vector<float> values(rows.size());
    read_fixed_output(engine_->spec().outputs[0], *output_, engine_->layout(), request,
                      reinterpret_cast<std::byte*>(values.data()));
    for (std::size_t i = 0; i < rows.size(); ++i) EXPECT_FLOAT_EQ(values[i], factor() * rows[i]);
  }

  static std::shared_ptr<Model> some_kernel(det::Random& random) {
    if (random.one_in(4)) return std::make_shared<HostDoubleModel>();
    CudaModelOptions options = kernel_options();
    if (random.one_in(2))
      options.memory_limit = static_cast<std::size_t>(4'096 + random.below(40'000));
    auto loaded = CudaModel::load(double_libraries(), ptx_source(), options);
    if (loaded.ok()) return loaded.value();
    return std::make_shared<HostDoubleModel>();
  }

  // Scales, swaps and breaks things until the owner has had enough. Changes may fail: there is not
  // always memory.
  void disturb(const std::atomic<bool>& done, std::uint64_t seed) {
    det::Random random(seed);
    while (!done) {
      break_something(random);
      const auto stage = static_cast<std::size_t>(random.below(changing()));
      const auto replicas = static_cast<std::size_t>(random.below(3));
      (void)engine_->scale(stage, replicas);
      const auto swapped = static_cast<std::size_t>(random.below(changing()));
      const StageChange swap{swapped, some_model(swapped, random), {}, {}, {}, {}};
      (void)engine_->reconfigure({&swap, 1});
      (void)engine_->stats();
      std::this_thread::sleep_for(std::chrono::microseconds(random.below(500)));
      if (replicas == 0) (void)engine_->scale(stage, 1);
    }
  }

  void serve(std::uint64_t requests) {
    std::atomic<bool> done{false};
    std::thread control([&, seed = random_.next()] { disturb(done, seed); });
    const std::uint64_t enough = accepted_ + requests;
    const Nanos limit = clock_.now() + kTimeLimit;
    while (accepted_ < enough && clock_.now() < limit && !this->HasFailure()) turn();
    done = true;
    control.join();
  }

  // Every stage served, by models that need none of the device.
  void recover() {
    for (std::size_t stage = 0; stage < static_cast<std::size_t>(changing()); ++stage) {
      const StageChange change{stage, host_model(stage), 2, {}, {}, {}};
      ASSERT_TRUE(engine_->reconfigure({&change, 1}).ok());
    }
  }

  void answers_right_and_leaves_nothing() {
    std::printf("MILLRACE_SEED=%llu\n", static_cast<unsigned long long>(seed_));
    start();
    serve(kRequests);
    recover();
    ASSERT_TRUE(eventually([&] {
      engine_->expire();
      collect();
      return engine_->pending() == 0 && engine_->stats().pending_rows == 0;
    }));
    EXPECT_EQ(settled_, accepted_);
    const EngineStats stats = engine_->stats();
    std::uint64_t handed_on = 0;
    std::uint64_t rows = 0;
    for (std::size_t i = 0; i < 2; ++i) {
      const StageStats& stage = stats.stages[i];
      handed_on += stage.handed_on;
      rows += stage.rows;
    }
    std::printf("%llu of %llu rows handed on\n", static_cast<unsigned long long>(handed_on),
                static_cast<unsigned long long>(rows));
    EXPECT_GT(handed_on, 0U) << "it was not put to a test";
    EXPECT_LT(handed_on, rows) << "the same";
    EXPECT_GT(outcomes_[static_cast<std::size_t>(Outcome::kCompleted)], 0U) << "the same";
    for (std::size_t stage = 0; stage < stats.stages.size(); ++stage)
      expect_ok(engine_->scale(stage, 0));
    EXPECT_EQ(CudaBudget::of(*this->open_before_).taken(), 0U);
    engine_.reset();
  }

  void leaves_nothing_when_closed_under_load() {
    for (int round = 0; round < 10 && !this->HasFailure(); ++round) {
      start();
      serve(kRequests / 40);
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
      engine_.reset();
      EXPECT_EQ(CudaBudget::of(*this->open_before_).taken(), 0U);
    }
  }

  const SteadyClock clock_{};
  const std::uint64_t seed_ = seed_of_run();
  det::Random random_{seed_};
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<OutputLayout> output_;
  std::map<std::uint32_t, std::vector<float>> pending_;  // the rows of each request
  std::uint64_t accepted_ = 0;
  std::uint64_t settled_ = 0;
  std::array<std::uint64_t, kOutcomes> outcomes_{};
};

}  // namespace millrace
