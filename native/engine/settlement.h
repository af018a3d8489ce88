// How a request ends: once. Rows finish on several replicas while a deadline passes, the caller
// cancels or the engine closes; each of them tries to settle and exactly one does. Two references,
// the owner's (the promise in JavaScript) and the execution's (the rows on their way), decide who
// recycles the memory.
//
// Promises
//   - reset() is called by whoever fills the request in, before it is shared. Everything else may
//     be called by any thread that holds a reference.
//   - Exactly one try_settle() returns true, exactly one of `rows` calls of row_finished(), and the
//     second of the two calls of release().
//   - What each row wrote before row_finished() is visible to the one for whom it returns true.
//   - What anyone wrote before settling is visible to whoever sees outcome() differ from kPending;
//     what anyone did before dropping a reference (settling included) is over for the one for whom
//     release() returns true.
// Not promised
//   - settled() is a hint for those about to start work: it brings no data with it, and false may
//     be out of date.
//
// Memory orders: the countdowns are acq_rel, so that each call hands what it has seen to the next
// and the last has seen everything. try_settle releases on success (pairs with the acquire of
// outcome()), and acquires on failure, so that the losers see what the winner had written.
#pragma once

#include <atomic>
#include <cstdint>

namespace millrace {

enum class Outcome : std::uint32_t {
  kPending,
  kCompleted,
  kFailed,
  kDeadlineExceeded,
  kQueueFull,
  kCancelled,
  kClosed,
};

template <template <class> class Atomic = std::atomic>
class Settlement {
 public:
  // Rows: at least 1.
  void reset(std::uint32_t rows) {
    outcome_.store(Outcome::kPending, std::memory_order_relaxed);
    rows_left_.store(rows, std::memory_order_relaxed);
    references_.store(kReferences, std::memory_order_relaxed);
  }

  // `outcome` is not kPending.
  [[nodiscard]] bool try_settle(Outcome outcome) {
    Outcome expected = Outcome::kPending;
    return outcome_.compare_exchange_strong(expected, outcome, std::memory_order_acq_rel,
                                            std::memory_order_acquire);
  }

  Outcome outcome() const { return outcome_.load(std::memory_order_acquire); }
  bool settled() const { return outcome_.load(std::memory_order_relaxed) != Outcome::kPending; }

  // True for the caller that finished the last row.
  [[nodiscard]] bool row_finished() {
    return rows_left_.fetch_sub(1, std::memory_order_acq_rel) == 1;
  }

  // Drops one reference. True for the last, whose caller recycles the memory.
  [[nodiscard]] bool release() { return references_.fetch_sub(1, std::memory_order_acq_rel) == 1; }

 private:
  static constexpr std::uint32_t kReferences = 2;

  Atomic<Outcome> outcome_{Outcome::kPending};
  Atomic<std::uint32_t> rows_left_{0};
  Atomic<std::uint32_t> references_{0};
};

}  // namespace millrace
