#include "queue/event_count.h"

#include <algorithm>

#if !defined(MILLRACE_PORTABLE_PARKING)
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>
#else
#include <chrono>
#endif

namespace millrace {

EventCount::Key EventCount::prepare_wait() {
  waiters_.fetch_add(1, std::memory_order_seq_cst);
  const Key key = epoch_.load(std::memory_order_acquire);
#if !defined(__SANITIZE_THREAD__)
  std::atomic_thread_fence(std::memory_order_seq_cst);
#endif
  return key;
}

void EventCount::cancel_wait() {
  waiters_.fetch_sub(1, std::memory_order_relaxed);
}

bool EventCount::wait(Key key, Nanos deadline) {
  const bool notified = sleep(key, deadline);
  waiters_.fetch_sub(1, std::memory_order_relaxed);
  return notified;
}

#if !defined(MILLRACE_PORTABLE_PARKING)

static_assert(sizeof(std::atomic<std::uint32_t>) == sizeof(std::uint32_t), "a futex is 32 bits");

bool EventCount::sleep(Key key, Nanos deadline) {
  constexpr Nanos kNanosPerSecond = 1'000'000'000;
  const Nanos at = std::max<Nanos>(deadline, 0);
  timespec until{};
  until.tv_sec = static_cast<std::time_t>(at / kNanosPerSecond);
  until.tv_nsec = static_cast<long>(at % kNanosPerSecond);
  while (epoch_.load(std::memory_order_acquire) == key) {
    // WAIT_BITSET is the one whose timeout is absolute, and on CLOCK_MONOTONIC.
    const long slept =
        syscall(SYS_futex, &epoch_, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, key,
                deadline == kNever ? nullptr : &until, nullptr, FUTEX_BITSET_MATCH_ANY);
    if (slept == -1 && errno == ETIMEDOUT) return epoch_.load(std::memory_order_acquire) != key;
  }
  return true;
}

void EventCount::wake(int count) {
  epoch_.fetch_add(1, std::memory_order_release);
  syscall(SYS_futex, &epoch_, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, count, nullptr, nullptr, 0);
}

#else

bool EventCount::sleep(Key key, Nanos deadline) {
  const auto advanced = [&] { return epoch_.load(std::memory_order_acquire) != key; };
  std::unique_lock lock(mutex_);
  if (deadline == kNever) {
    advanced_.wait(lock, advanced);
    return true;
  }
  const std::chrono::steady_clock::time_point until{std::chrono::nanoseconds(deadline)};
  return advanced_.wait_until(lock, until, advanced);
}

void EventCount::wake(int count) {
  {
    const std::lock_guard lock(mutex_);
    epoch_.fetch_add(1, std::memory_order_release);
  }
  if (count == 1) {
    advanced_.notify_one();
  } else {
    advanced_.notify_all();
  }
}

#endif

}  // namespace millrace
