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
//     prepare_wait() sees the item.
//   - notify_* costs one fence and one load when nobody waits; no system call.
//   - Every prepare_wait() is followed by exactly one cancel_wait() or wait(), by the same thread.
// Not promised
//   - wait() may return true without a notify meant for this thread: look at the queue again.
//   - A key is good for 2^32 notifications. Nobody stays between prepare_wait() and wait() for that
//   long.
//
// Why nothing is lost. Both sides write, then read what the other writes:
//
//   consumer:  waiters_ += 1;  fence;  read queue          producer:  write queue;  fence;  read
//   waiters_
//
// Of two seq_cst fences one comes first, and what was written before it is seen by reads after the
// other: at least one side sees the other. If the producer does, it advances epoch_, and the kernel
// refuses to put a thread to sleep whose key is older. A consumer whose key is already the new
// epoch has acquired the producer's advance, and so sees the item. ThreadSanitizer does not model
// fences; under it both sides do a read-modify-write of waiters_, which is as good.
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
    if (someone_waits()) wake(1);
  }
  void notify_all() {
    if (someone_waits()) wake(kEveryone);
  }

 private:
  static constexpr int kEveryone = 0x7fffffff;

  bool someone_waits() {
#if defined(__SANITIZE_THREAD__)
    return waiters_.fetch_add(0, std::memory_order_seq_cst) != 0;
#else
    std::atomic_thread_fence(std::memory_order_seq_cst);
    return waiters_.load(std::memory_order_relaxed) != 0;
#endif
  }
  void wake(int count);
  bool sleep(Key key, Nanos deadline);

  // Producers only read this line while nobody waits, so it stays in their caches.
  alignas(kCacheLine) std::atomic<std::uint32_t> waiters_{
      0};                                // between prepare_wait and wake-up; consumers write
  std::atomic<std::uint32_t> epoch_{0};  // notifications that met a waiter; producers write
#if defined(MILLRACE_PORTABLE_PARKING)
  std::mutex mutex_;  // epoch_ advances under it, so that no sleeper misses the change
  std::condition_variable advanced_;
#endif
};

}  // namespace millrace
