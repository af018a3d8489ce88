// The scheduler of deterministic.h: one run of some thread bodies from one seed, and the
// exploration of many. The bodies are real threads that pass a baton, so that sanitizers understand
// them; only its holder runs, and it alone touches the trial. Threads are told apart by a small
// index, which vector clocks use too.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <functional>
#include <semaphore>
#include <string>
#include <thread>
#include <utility>

#if defined(__linux__)
#include <sched.h>
#endif

namespace millrace::det {

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
inline constexpr int kSeedDivisor = 10;
#else
inline constexpr int kSeedDivisor = 1;
#endif

inline constexpr int kMaxThreads = 6;
inline constexpr int kMaxSteps = 50'000;
inline constexpr int kTypicalSteps = 200;  // where priorities change

using VectorClock = std::array<std::uint32_t, kMaxThreads>;

inline void join(VectorClock& clock, const VectorClock& other) {
  for (int t = 0; t < kMaxThreads; ++t) clock[t] = std::max(clock[t], other[t]);
}

// splitmix64
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  int below(int bound) { return static_cast<int>(next() % static_cast<std::uint64_t>(bound)); }
  bool one_in(int n) { return below(n) == 0; }

 private:
  std::uint64_t state_;
};

// One run from one seed. All members are touched by the baton's holder only.
class Trial {
 public:
  explicit Trial(std::uint64_t seed) : random_(seed), few_preemptions_(seed % 2 == 0) {
    for (int i = 0; i < kPriorityChanges; ++i) changes_[i] = random_.below(kTypicalSteps);
    switch_one_in_ = 1 + random_.below(4);
  }

  // At most kMaxThreads.
  void thread(std::function<void()> body) { workers_.emplace_back().body = std::move(body); }
  void afterwards(std::function<void()> check) { afterwards_ = std::move(check); }

  // The failure, or nothing.
  std::string run() {
    if (count() > kMaxThreads) return "too many threads";
    running_trial = this;
    for (int i = 0; i < count(); ++i) {
      workers_[i].priority = random_.below(1 << 20);
      workers_[i].clock[i] = 1;
      workers_[i].thread = std::thread([this, i] { work(i); });
    }
    if (count() > 0) workers_[choose(kNobody)].turn.release();
    for (Worker& worker : workers_) worker.thread.join();
    if (failure_.empty() && afterwards_) attempt(afterwards_);
    running_trial = nullptr;
    return failure_;
  }

  // Called by the running thread before each operation: lets the seed pick who goes on.
  void step() {
    count_step();
    for (const int change : changes_) {
      if (steps_ == change) workers_[own_index].priority = -steps_;
    }
    hand_to(choose(own_index));
    ++workers_[own_index].clock[own_index];
  }

  // The running thread waits for others: they go first.
  void pause() {
    count_step();
    workers_[own_index].priority = -steps_;
    workers_[own_index].paused = true;
    const int next = choose(own_index);
    workers_[own_index].paused = false;
    hand_to(next);
  }

  [[noreturn]] void fail(std::string what) {
    if (failure_.empty()) failure_ = std::move(what);
    throw Abandon{};
  }

  Random& random() { return random_; }
  VectorClock& clock() { return workers_[own_index].clock; }

  // Null outside of the bodies, where nothing is scheduled and everything is seen.
  static Trial* active() { return own_index == kNobody ? nullptr : running_trial; }
  static int self() { return own_index; }
  static void check(bool holds, const char* what) {
    if (!holds) running_trial->fail(what);
  }

 private:
  static constexpr int kNobody = -1;
  static constexpr int kPriorityChanges = 4;
  struct Abandon {};
  struct Worker {
    std::function<void()> body;
    std::thread thread;
    std::binary_semaphore turn{0};
    VectorClock clock{};
    int priority = 0;
    bool paused = false;
    bool done = false;
  };

  void count_step() {
    if (++steps_ > kMaxSteps) fail("no progress: a deadlock or a livelock");
  }

  int count() const { return static_cast<int>(workers_.size()); }

  void work(int index) {
    own_index = index;
    workers_[index].turn.acquire();
    if (failure_.empty()) attempt(workers_[index].body);
    workers_[index].done = true;
    const int next = choose(kNobody);
    if (next != kNobody) workers_[next].turn.release();
  }

  static void attempt(const std::function<void()>& body) {
    try {
      body();
    } catch (const Abandon&) {  // recorded in failure_
    }
  }

  void hand_to(int next) {
    if (next == own_index) return;
    workers_[next].turn.release();
    workers_[own_index].turn.acquire();
    if (!failure_.empty()) throw Abandon{};
  }

  // Who runs next: nobody only when all are done.
  int choose(int current) {
    const bool stays = current != kNobody && !workers_[current].paused;
    if (!few_preemptions_ && stays && !random_.one_in(switch_one_in_)) return current;
    std::array<int, kMaxThreads> able{};
    int able_count = 0;
    int best = current;
    for (int i = 0; i < count(); ++i) {
      if (workers_[i].done || workers_[i].paused) continue;
      able[able_count++] = i;
      const bool first = best == kNobody || workers_[best].paused;
      if (first || workers_[i].priority > workers_[best].priority) best = i;
    }
    if (able_count == 0) return current;
    return few_preemptions_ ? best : able[random_.below(able_count)];
  }

  inline static Trial* running_trial = nullptr;
  inline static thread_local int own_index = kNobody;

  Random random_;
  const bool few_preemptions_;
  int switch_one_in_ = 1;
  std::array<int, kPriorityChanges> changes_{};
  std::deque<Worker> workers_;
  std::function<void()> afterwards_;
  std::string failure_;
  int steps_ = 0;
};

inline void check(bool holds, const char* what) {
  Trial::check(holds, what);
}
inline void pause() {
  Trial::active()->pause();
}

// Switching threads is cheapest without leaving the core.
inline void stay_on_this_core() {
#if defined(__linux__)
  cpu_set_t here;
  CPU_ZERO(&here);
  CPU_SET(sched_getcpu(), &here);
  sched_setaffinity(0, sizeof here, &here);
#endif
}

// Runs `prepare` and the threads it adds once for each seed. The first failure with its seed, or
// nothing.
inline std::string explore(int seeds, const std::function<void(Trial&)>& prepare) {
  const char* const only = std::getenv("MILLRACE_SEED");
  const char* const many = std::getenv("MILLRACE_SEEDS");
  std::uint64_t seed = only ? std::strtoull(only, nullptr, 10) : 1;
  std::uint64_t left = only ? 1 : many ? std::strtoull(many, nullptr, 10) : seeds / kSeedDivisor;
  std::string failure;
  std::thread explorer([&] {  // a thread of its own, so that the pinning ends with it
    stay_on_this_core();
    for (; left > 0 && failure.empty(); --left, ++seed) {
      Trial trial(seed);
      prepare(trial);
      failure = trial.run();
      if (!failure.empty()) failure += " (replay with MILLRACE_SEED=" + std::to_string(seed) + ")";
    }
  });
  explorer.join();
  return failure;
}

}  // namespace millrace::det
