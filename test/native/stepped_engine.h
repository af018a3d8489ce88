// An engine that is taken from event to event: its clock stands still until the test moves it, and
// each run of a model is held until the test releases it. Between two steps the test waits until
// every replica sleeps, so that what it sees next does not depend on how threads were scheduled.
//
// A replica that looks for work before it sleeps does so for a time by its clock, which stands
// still; so who asks for the time again and again is told once that it is much later (`impatient`).
// Not to be combined with a max_delay, which is waited for by the same clock.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <fstream>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "each_settled.h"
#include "engine_harness.h"

#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace millrace {

class StepClock final : public Clock {
 public:
  explicit StepClock(bool impatient) : impatient_(impatient), owner_(std::this_thread::get_id()) {}

  Nanos now() const override {
    const Nanos now = now_.load();
    if (std::this_thread::get_id() == owner_) return now;
    thread_local const StepClock* known = nullptr;
    thread_local Nanos last = 0;
    thread_local int repeats = 0;
    if (known != this) introduce(known);
    repeats = now == last ? repeats + 1 : 0;
    last = now;
    if (!impatient_.load() || repeats < kRepeats) return now;
    repeats = 0;
    return now + kMuch;
  }

  void set(Nanos now) { now_.store(now); }
  void end_patience() { impatient_.store(true); }
  [[nodiscard]] Nanos current() const { return now_.load(); }

  // Of all that asked for the time, but the owner.
  [[nodiscard]] std::vector<long> threads() const {
    const std::lock_guard lock(mutex_);
    return threads_;
  }

 private:
  static constexpr int kRepeats = 200;
  static constexpr Nanos kMuch = 1'000'000'000;

  void introduce(const StepClock*& known) const {
    known = this;
    const std::lock_guard lock(mutex_);
#if defined(__linux__)
    threads_.push_back(syscall(SYS_gettid));
#endif
  }

  std::atomic<bool> impatient_;
  const std::thread::id owner_;
  std::atomic<Nanos> now_{1'000'000'000};  // long past by the clock that sleeps go by
  mutable std::mutex mutex_;
  mutable std::vector<long> threads_;
};

// Whether all these threads of this process slept throughout two looks.
inline bool all_asleep(const std::vector<long>& threads) {
  const auto look = [&] {
    std::vector<std::string> all;
    for (const long thread : threads) {
      std::ifstream status("/proc/self/task/" + std::to_string(thread) + "/status");
      std::string text;
      for (std::string line; std::getline(status, line);) {
        const bool switches = line.find("ctxt_switches") != std::string::npos;
        if (switches || line.rfind("State:\tS", 0) == 0) text += line;
      }
      all.push_back(text);
    }
    return all;
  };
  const std::vector<std::string> first = look();
  for (const std::string& one : first) {
    if (one.rfind("State", 0) != 0) return false;
  }
  return first == look();
}

// Every run there was, and those that are held.
class RunLedger {
 public:
  struct Run {
    std::uint32_t stage = 0;
    std::uint32_t rows = 0;
    Nanos start = 0;
    bool released = false;
  };

  void hold(std::uint32_t stage, std::size_t rows, Nanos now) {
    std::unique_lock lock(mutex_);
    const std::size_t own = runs_.size();
    runs_.push_back({stage, static_cast<std::uint32_t>(rows), now});
    changed_.wait(lock, [&] { return runs_[own].released || over_; });
  }
  void release(std::size_t run) {
    const std::lock_guard lock(mutex_);
    runs_[run].released = true;
    changed_.notify_all();
  }
  void release_all() {
    const std::lock_guard lock(mutex_);
    over_ = true;
    changed_.notify_all();
  }
  [[nodiscard]] std::vector<Run> runs() const {
    const std::lock_guard lock(mutex_);
    return runs_;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Run> runs_;
  bool over_ = false;
};

class HeldRunner final : public Runner {
 public:
  HeldRunner(std::unique_ptr<Runner> runner, RunLedger& ledger, const StepClock& clock,
             std::uint32_t stage)
      : runner_(std::move(runner)), ledger_(ledger), clock_(clock), stage_(stage) {}

  Status run(const RunBatch& batch, RunResult& result) override {
    ledger_.hold(stage_, batch.rows, clock_.current());
    return runner_->run(batch, result);
  }
  void terminate() noexcept override { ledger_.release_all(); }

 private:
  const std::unique_ptr<Runner> runner_;
  RunLedger& ledger_;
  const StepClock& clock_;
  const std::uint32_t stage_;
};

class HeldModel final : public Model {
 public:
  HeldModel(std::shared_ptr<Model> model, RunLedger& ledger, const StepClock& clock,
            std::uint32_t stage)
      : model_(std::move(model)), ledger_(ledger), clock_(clock), stage_(stage) {}

  const std::vector<TensorSpec>& inputs() const override { return model_->inputs(); }
  const std::vector<TensorSpec>& outputs() const override { return model_->outputs(); }
  bool accepts_ragged() const override { return model_->accepts_ragged(); }
  Result<std::unique_ptr<Runner>> make_runner(const RunnerOptions& options) override {
    auto made = model_->make_runner(options);
    if (!made.ok()) return made;
    return std::unique_ptr<Runner>(
        std::make_unique<HeldRunner>(std::move(made.value()), ledger_, clock_, stage_));
  }

 private:
  const std::shared_ptr<Model> model_;
  RunLedger& ledger_;
  const StepClock& clock_;
  const std::uint32_t stage_;
};

class SteppedEngine {
 public:
  SteppedEngine(PipelineSpec spec, bool impatient) : clock_(impatient) {
    for (std::uint32_t i = 0; i < spec.stages.size(); ++i) {
      spec.stages[i].model = std::make_shared<HeldModel>(spec.stages[i].model, ledger_, clock_, i);
      replicas_ += spec.stages[i].replicas;
    }
    began_ = clock_.current();
    auto created = Engine::create(std::move(spec), clock_, [] {});
    if (!created.ok()) {
      ADD_FAILURE() << created.error().message;
      std::abort();
    }
    engine_ = std::move(created.value());
  }
  ~SteppedEngine() {
    ledger_.release_all();
    clock_.end_patience();
    engine_->stop(true);
  }
  SteppedEngine(const SteppedEngine&) = delete;
  SteppedEngine& operator=(const SteppedEngine&) = delete;

  // Times count from when the engine was made.
  void go_to(Nanos time) { clock_.set(began_ + time); }
  void release(std::size_t run) { ledger_.release(run); }

  void submit(const std::vector<float>& firsts) {
    const std::vector<float> rows = rows_of(firsts);
    CallerInput input;
    input.data = reinterpret_cast<const std::byte*>(rows.data());
    input.row_bytes = kWidth * sizeof(float);
    SubmitOptions options;
    options.rows = static_cast<std::uint32_t>(firsts.size());
    EXPECT_EQ(engine_->submit(options, {&input, 1}).refusal, SubmitResult::Refusal::kNone);
  }

  // Until every replica sleeps: in a held run, or because it has nothing to do.
  bool wait_for_sleep() {
    return eventually([&] {
      const std::vector<long> threads = clock_.threads();
      return threads.size() == replicas_ && all_asleep(threads);
    });
  }
  // Until there have been so many runs.
  bool wait_for_runs(std::size_t count) {
    return eventually([&] { return ledger_.runs().size() >= count; });
  }

  [[nodiscard]] std::vector<RunLedger::Run> runs() const {
    std::vector<RunLedger::Run> runs = ledger_.runs();
    for (RunLedger::Run& run : runs) run.start -= began_;
    return runs;
  }

  // Of the requests answered since the last call, all of which must have been completed.
  std::vector<Nanos> collect() {
    std::vector<Nanos> latencies;
    each_settled(*engine_, [&](const Request& request) {
      EXPECT_EQ(request.settlement.outcome(), Outcome::kCompleted) << request.message;
      latencies.push_back(request.settled_at - request.submitted);
    });
    return latencies;
  }

 private:
  StepClock clock_;
  RunLedger ledger_;
  std::size_t replicas_ = 0;
  Nanos began_ = 0;
  std::unique_ptr<Engine> engine_;
};

}  // namespace millrace
