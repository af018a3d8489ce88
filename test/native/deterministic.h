// Replays interleavings of lock-free code from a seed.
//
// DetAtomic<T> stands in for std::atomic<T>. Its every operation is a scheduling point: the thread
// bodies of a trial are real threads, but only the one with the baton runs, and who gets it next is
// drawn from the seed. Half of the seeds draw a thread at every step, half give threads priorities
// that change at a few random steps (few preemptions, each in an odd place: the PCT idea of
// Burckhardt et al.).
//
// It also models weak memory, which sanitizers on x86 cannot: each DetAtomic remembers its last
// stores, and a load may return any of them that neither this thread nor anything that happens
// before it has seen overtaken. Happens-before comes from the memory orders as written, by vector
// clocks. Guarded<T> is plain data that fails the trial when two accesses, one of them a write, are
// not ordered by it. Read-modify-writes and seq_cst loads take the newest store; standalone fences
// are not modelled.
//
//   EXPECT_EQ(det::explore(4000, [](det::Trial& trial) {
//     auto shared = std::make_shared<Thing<det::DetAtomic>>();
//     trial.thread([=] { ... det::check(shared->ok(), "it is ok"); });
//     trial.afterwards([=] { ... });  // all threads are over
//   }), "");
//
// A failure names its seed; MILLRACE_SEED=n replays that one, MILLRACE_SEEDS=n explores n. A body
// that finds nothing to do calls det::pause(); too many steps are a failure, for lack of progress.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <functional>
#include <semaphore>
#include <string>
#include <thread>
#include <utility>
#include <vector>

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
    active_ = this;
    for (int i = 0; i < count(); ++i) {
      workers_[i].priority = random_.below(1 << 20);
      workers_[i].clock[i] = 1;
      workers_[i].thread = std::thread([this, i] { work(i); });
    }
    if (count() > 0) workers_[choose(kNobody)].turn.release();
    for (Worker& worker : workers_) worker.thread.join();
    if (failure_.empty() && afterwards_) attempt(afterwards_);
    active_ = nullptr;
    return failure_;
  }

  // Called by the running thread before each operation: lets the seed pick who goes on.
  void step() {
    count_step();
    for (const int change : changes_) {
      if (steps_ == change) workers_[self_].priority = -steps_;
    }
    hand_to(choose(self_));
    ++workers_[self_].clock[self_];
  }

  // The running thread waits for others: they go first.
  void pause() {
    count_step();
    workers_[self_].priority = -steps_;
    workers_[self_].paused = true;
    const int next = choose(self_);
    workers_[self_].paused = false;
    hand_to(next);
  }

  [[noreturn]] void fail(std::string what) {
    if (failure_.empty()) failure_ = std::move(what);
    throw Abandon{};
  }

  Random& random() { return random_; }
  VectorClock& clock() { return workers_[self_].clock; }

  // Null outside of the bodies, where nothing is scheduled and everything is seen.
  static Trial* active() { return self_ == kNobody ? nullptr : active_; }
  static int self() { return self_; }
  static void check(bool holds, const char* what) {
    if (!holds) active_->fail(what);
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
    self_ = index;
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
    if (next == self_) return;
    workers_[next].turn.release();
    workers_[self_].turn.acquire();
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

  inline static Trial* active_ = nullptr;
  inline static thread_local int self_ = kNobody;

  Random random_;
  const bool few_preemptions_;
  int switch_one_in_ = 1;
  std::array<int, kPriorityChanges> changes_{};
  std::deque<Worker> workers_;
  std::function<void()> afterwards_;
  std::string failure_;
  int steps_ = 0;
};

inline constexpr auto check = &Trial::check;
inline constexpr auto pause = [] { Trial::active()->pause(); };

inline bool acquires(std::memory_order order) {
  return order != std::memory_order_relaxed && order != std::memory_order_release;
}
inline bool releases(std::memory_order order) {
  return order == std::memory_order_release || order == std::memory_order_acq_rel ||
         order == std::memory_order_seq_cst;
}

template <class T>
class DetAtomic {
 public:
  using Order = std::memory_order;

  explicit DetAtomic(T value = T{}) { start_over(value); }
  DetAtomic(const DetAtomic&) = delete;
  DetAtomic& operator=(const DetAtomic&) = delete;

  T load(Order order = std::memory_order_seq_cst) const {
    Trial* trial = Trial::active();
    if (trial == nullptr) return newest().value;
    trial->step();
    const std::uint64_t oldest = oldest_readable(trial->clock());
    std::uint64_t chosen = count_ - 1;
    if (order != std::memory_order_seq_cst && chosen > oldest && trial->random().one_in(4)) {
      chosen = oldest + trial->random().next() % (count_ - oldest);
    }
    return read(at(chosen), order);
  }

  void store(T value, Order order = std::memory_order_seq_cst) {
    Trial* trial = Trial::active();
    if (trial == nullptr) return start_over(value);
    trial->step();
    append(value, order, VectorClock{});
  }

  T exchange(T value, Order order = std::memory_order_seq_cst) {
    return modify([&](T) { return value; }, order);
  }
  T fetch_add(T by, Order order = std::memory_order_seq_cst) {
    return modify([&](T old) { return static_cast<T>(old + by); }, order);
  }
  T fetch_sub(T by, Order order = std::memory_order_seq_cst) {
    return modify([&](T old) { return static_cast<T>(old - by); }, order);
  }

  bool compare_exchange_strong(T& expected, T desired, Order success, Order failure) {
    return exchange_if(expected, desired, success, failure, false);
  }
  bool compare_exchange_weak(T& expected, T desired, Order success, Order failure) {
    Trial* trial = Trial::active();
    return exchange_if(expected, desired, success, failure, trial && trial->random().one_in(16));
  }

 private:
  static constexpr std::uint64_t kHistory = 8;
  struct Store {
    T value;
    VectorClock released;  // what an acquiring reader learns
    VectorClock seen;      // when each thread first saw (or made) this store; 0: not yet
  };

  Store& at(std::uint64_t index) const { return history_[index % kHistory]; }
  Store& newest() const { return at(count_ - 1); }

  void start_over(T value) {
    count_ = 1;
    at(0) = Store{value, {}, {}};
  }

  // Coherence: no load may go back behind a store that it, or anything that happens before it, has
  // seen.
  std::uint64_t oldest_readable(const VectorClock& clock) const {
    const std::uint64_t kept = count_ > kHistory ? count_ - kHistory : 0;
    for (std::uint64_t i = count_ - 1; i > kept; --i) {
      for (int t = 0; t < kMaxThreads; ++t) {
        if (at(i).seen[t] != 0 && at(i).seen[t] <= clock[t]) return i;
      }
    }
    return kept;
  }

  T read(Store& store, Order order) const {
    VectorClock& clock = Trial::active()->clock();
    std::uint32_t& first_seen = store.seen[Trial::self()];
    if (first_seen == 0) first_seen = clock[Trial::self()];
    if (acquires(order)) join(clock, store.released);
    return store.value;
  }

  // `carried`: what a release sequence passes on from the store before.
  void append(T value, Order order, const VectorClock& carried) {
    const VectorClock& clock = Trial::active()->clock();
    Store store{value, carried, {}};
    if (releases(order)) join(store.released, clock);
    store.seen[Trial::self()] = clock[Trial::self()];
    at(count_++) = store;
  }

  template <class Change>
  T modify(Change change, Order order) {
    Trial* trial = Trial::active();
    if (trial == nullptr) {
      const T old = newest().value;
      start_over(change(old));
      return old;
    }
    trial->step();
    const T old = read(newest(), order);
    append(change(old), order, newest().released);
    return old;
  }

  bool exchange_if(T& expected, T desired, Order success, Order failure, bool spurious) {
    Trial* trial = Trial::active();
    if (trial != nullptr) trial->step();
    const bool equal = newest().value == expected && !spurious;
    if (trial != nullptr) read(newest(), equal ? success : failure);
    if (!equal) {
      expected = newest().value;
    } else if (trial != nullptr) {
      append(desired, success, newest().released);
    } else {
      start_over(desired);
    }
    return equal;
  }

  mutable std::array<Store, kHistory> history_{};
  std::uint64_t count_ = 1;
};

// Plain data whose unordered accesses fail the trial.
template <class T>
class Guarded {
 public:
  explicit Guarded(T value = T{}) : value_(value) {}
  Guarded& operator=(T value) {
    touch(true);
    value_ = value;
    return *this;
  }
  Guarded& operator=(const Guarded& other) { return *this = static_cast<T>(other); }
  operator T() const {  // NOLINT(google-explicit-constructor): stands in for a T
    touch(false);
    return value_;
  }

 private:
  void touch(bool writes) const {
    Trial* trial = Trial::active();
    if (trial == nullptr) return;
    VectorClock& clock = trial->clock();
    for (int t = 0; t < kMaxThreads; ++t) {
      if (written_[t] > clock[t]) trial->fail("data race: the last write is not ordered before");
      if (writes && read_[t] > clock[t]) trial->fail("data race: a read is not ordered before");
    }
    (writes ? written_ : read_)[Trial::self()] = ++clock[Trial::self()];
  }

  T value_;
  mutable VectorClock written_{};
  mutable VectorClock read_{};
};

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
