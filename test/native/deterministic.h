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

#include <array>
#include <atomic>
#include <cstdint>

#include "trial.h"

namespace millrace::det {

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

}  // namespace millrace::det
