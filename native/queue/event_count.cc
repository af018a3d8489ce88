#include "queue/event_count.h"

#include <algorithm>
#include <bit>

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
  const Key key = epoch_of(state_.fetch_add(kWaiter, std::memory_order_seq_cst));
#if !defined(__SANITIZE_THREAD__)
  std::atomic_thread_fence(std::memory_order_seq_cst);
#endif
  return key;
}

void EventCount::cancel_wait() {
  leave();
}

bool EventCount::wait(Key key, Nanos deadline) {
  const bool notified = sleep(key, deadline);
  leave();
  return notified;
}

// Whoever leaves takes a signal along, also one meant for another: too few signals cost a system
// call, too many a wake-up.
void EventCount::leave() {
  std::uint64_t state = state_.load(std::memory_order_relaxed);
  std::uint64_t after = 0;
  do {
    after = state - kWaiter - (signals_of(state) > 0 ? kSignal : 0);
  } while (!state_.compare_exchange_weak(state, after, std::memory_order_seq_cst,
                                         std::memory_order_relaxed));
#if !defined(__SANITIZE_THREAD__)
  std::atomic_thread_fence(std::memory_order_seq_cst);
#endif
}

void EventCount::wake(int most) {
  std::uint64_t state = state_.load(std::memory_order_relaxed);
  std::uint64_t after = 0;
  int count = 0;
  do {
    if (!needs_wake(state)) return;
    const std::uint64_t sleepers = waiters_of(state) - signals_of(state);
    count = std::min(most, static_cast<int>(sleepers));
    // The epoch's own overflow must not reach the waiters.
    const auto epoch = static_cast<std::uint64_t>(static_cast<Key>(epoch_of(state) + 1));
    after = (state & ~std::uint64_t{0xffffffff}) | epoch;
    after += static_cast<std::uint64_t>(count) * kSignal;
  } while (!state_.compare_exchange_weak(state, after, std::memory_order_seq_cst,
                                         std::memory_order_relaxed));
  wake_sleepers(count);
}

#if !defined(MILLRACE_PORTABLE_PARKING)

static_assert(sizeof(std::atomic<std::uint64_t>) == sizeof(std::uint64_t) &&
                  std::endian::native == std::endian::little,
              "the futex is the low half of the state, which comes first");

bool EventCount::sleep(Key key, Nanos deadline) {
  constexpr Nanos kNanosPerSecond = 1'000'000'000;
  const Nanos at = std::max<Nanos>(deadline, 0);
  timespec until{};
  until.tv_sec = static_cast<std::time_t>(at / kNanosPerSecond);
  until.tv_nsec = static_cast<long>(at % kNanosPerSecond);
  while (epoch_of(state_.load(std::memory_order_acquire)) == key) {
    // WAIT_BITSET is the one whose timeout is absolute, and on CLOCK_MONOTONIC.
    const long slept =
        syscall(SYS_futex, &state_, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, key,
                deadline == kNever ? nullptr : &until, nullptr, FUTEX_BITSET_MATCH_ANY);
    if (slept == -1 && errno == ETIMEDOUT) {
      return epoch_of(state_.load(std::memory_order_acquire)) != key;
    }
  }
  return true;
}

void EventCount::wake_sleepers(int count) {
  syscall(SYS_futex, &state_, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, count, nullptr, nullptr, 0);
}

#else

bool EventCount::sleep(Key key, Nanos deadline) {
  const auto advanced = [&] { return epoch_of(state_.load(std::memory_order_acquire)) != key; };
  std::unique_lock lock(mutex_);
  if (deadline == kNever) {
    advanced_.wait(lock, advanced);
    return true;
  }
  const std::chrono::steady_clock::time_point until{std::chrono::nanoseconds(deadline)};
  return advanced_.wait_until(lock, until, advanced);
}

// Taking the mutex once: a waiter either has not looked at the epoch yet, or sleeps and hears the
// notification. Always all of them: unlike a futex, a condition variable may wake whoever came
// last, who then finds its key up to date and sleeps again, and the one the signal was meant for
// sleeps on.
void EventCount::wake_sleepers(int /*count*/) {
  { const std::lock_guard lock(mutex_); }
  advanced_.notify_all();
}

#endif

}  // namespace millrace
