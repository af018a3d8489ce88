// Where consumers of a lock-free queue sleep. The queue knows nothing of it:
//
//   consumer                                          producer
//   Key key = events.prepare_wait();                  queue.publish(...);
//   if (queue has something) events.cancel_wait();    events.notify_one();
//   else events.wait(key, deadline);
//
// Promises
//   - No wake-up is lost: a notify_* after the publish either sees the waiter, or the waiter's look
//   at the queue after
//     prepare_wait(), or after waking, sees the item.
//   - notify_* costs one fence and one load when nobody waits, or when all who wait are being woken
//   already: a burst
//     of rows makes one system call for each sleeping replica, not one for each row.
//   - Every prepare_wait() is followed by exactly one cancel_wait() or wait(), by the same thread.
// Not promised
//   - wait() may return true without a notify meant for this thread: look at the queue again.
//   - A key is good for 2^32 notifications. Nobody stays between prepare_wait() and wait() for that
//   long.
//
// All state is one word, so that it changes as one:
//
//   bit 0          32          48          64
//       |  epoch   | waiters   | signals   |      epoch is what sleepers sleep on; it advances with
//       every wake-up
//
// A waiter is doomed once it is certain to leave: its key is older than the epoch and it does not
// sleep yet, or the kernel was told to wake it. Signals never exceed the doomed: a notify that
// finds waiters > signals advances the epoch, which dooms everyone not yet asleep, and wakes one
// sleeper; a waiter that leaves takes one signal with it, if there is one. So waiters == signals
// means that all are doomed, and each will look at the queue again: no notify is needed.
//
// Why nothing is lost. Both sides write, then read what the other writes:
//
//   consumer:  change state_;  fence;  read queue          producer:  write queue;  fence;  read
//   state_
//
// Of two seq_cst fences one comes first, and what was written before it is seen by reads after the
// other: at least one side sees the other. The consumer changes state_ when it begins to wait and
// when it leaves. ThreadSanitizer does not model fences; under it both sides do a read-modify-write
// of state_, which is as good.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/clock.h"
#include "base/cpu.h"

#if !defined(__linux__) && !defined(MILLRACE_PORTABLE_PARKING)
#define MILLRACE_PORTABLE_PARKING 1
#endif
#if defined(MILLRACE_PORTABLE_PARKING)
#include <condition_variable>
#include <mutex>
#endif

namespace millrace {

class EventCount {
 public:
  using Key = std::uint32_t;

  EventCount() = default;
  EventCount(const EventCount&) = delete;
  EventCount& operator=(const EventCount&) = delete;

  [[nodiscard]] Key prepare_wait();
  void cancel_wait();

  // Sleeps until notified or until `deadline` on the monotonic clock (kNever: no limit). False when
  // the deadline passed.
  bool wait(Key key, Nanos deadline);

  void notify_one() {
    if (needs_wake(look())) wake(1);
  }
  void notify_all() {
    if (needs_wake(look())) wake(kEveryone);
  }

 private:
  static constexpr int kEveryone = 0x7fff;
  static constexpr std::uint64_t kWaiter = std::uint64_t{1} << 32;
  static constexpr std::uint64_t kSignal = std::uint64_t{1} << 48;

  static Key epoch_of(std::uint64_t state) { return static_cast<Key>(state); }
  static std::uint64_t waiters_of(std::uint64_t state) { return state >> 32 & 0xffff; }
  static std::uint64_t signals_of(std::uint64_t state) { return state >> 48; }
  static bool needs_wake(std::uint64_t state) { return waiters_of(state) > signals_of(state); }

  // The state, ordered after everything this thread wrote.
  std::uint64_t look() {
#if defined(__SANITIZE_THREAD__)
    return state_.fetch_add(0, std::memory_order_seq_cst);
#else
    std::atomic_thread_fence(std::memory_order_seq_cst);
    return state_.load(std::memory_order_relaxed);
#endif
  }
  void leave();
  void wake(int most);
  bool sleep(Key key, Nanos deadline);
  void wake_sleepers(int count);

  // Producers only read this line while nobody waits, so it stays in their caches.
  alignas(kCacheLine) std::atomic<std::uint64_t> state_{0};
#if defined(MILLRACE_PORTABLE_PARKING)
  std::mutex
      mutex_;  // taken between advancing the epoch and notifying, so that no sleeper misses it
  std::condition_variable advanced_;
#endif
};

}  // namespace millrace
