// Ends runs that nobody waits for any more. Each replica says here what it runs; the owner looks,
// when requests were settled early, whether anybody is left who wants it, and interrupts it if not.
//
// The replica begins and ends; the owner looks. Both go through one word:
//
//        begin (replica)             look (owner)
//   idle ---------------> running <----------------> looked at
//     ^-------------------'
//        end (replica)
//
// Promises
//   - An interruption never hits a later run: end() waits for a look in progress, which is a few
//     loads and one call that does not block, and takes the interruption back. Nor is it lost where
//     it comes between begin() and the runner's run.
//   - What the owner settled before it looks is either seen by the look, or by the replica after
//     begin(): both change the word, and of two changes one comes first and is acquired by the
//     other. So a replica that asks unwanted() after begin() misses nothing.
//   - The rows are only read while they run, so that their requests cannot be used again meanwhile.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/cpu.h"
#include "engine/batch.h"
#include "model/model.h"

namespace millrace {

class RunWatch {
 public:
  // Replica: begins a run of these rows, which stay where they are until end().
  void begin(Runner& runner, std::span<const ClaimedRow> rows) {
    runner_ = &runner;
    rows_ = rows;
    wanted_ = 0;
    interrupted_ = false;
    state_.exchange(kRunning, std::memory_order_acq_rel);
  }

  // Replica, between begin() and end(): whether every row's request is settled already.
  [[nodiscard]] bool unwanted() const { return first_wanted(0) == rows_.size(); }

  // Replica: true where the run was interrupted; the runner is ready for the next one.
  bool end() {
    std::uint32_t expected = kRunning;
    while (!state_.compare_exchange_weak(expected, kIdle, std::memory_order_acq_rel,
                                         std::memory_order_relaxed)) {
      expected = kRunning;
      cpu_relax();
    }
    if (interrupted_) runner_->resume();
    return interrupted_;
  }

  // Owner: interrupts the run in progress if nobody wants it.
  void look() {
    // Changes nothing, but as a change: see above.
    if (state_.fetch_or(0, std::memory_order_acq_rel) != kRunning) return;
    std::uint32_t expected = kRunning;
    if (!state_.compare_exchange_strong(expected, kLookedAt, std::memory_order_acq_rel)) return;
    wanted_ = first_wanted(wanted_);
    if (wanted_ == rows_.size() && !interrupted_) {
      interrupted_ = true;
      runner_->interrupt();
    }
    state_.store(kRunning, std::memory_order_release);  // pairs with end()
  }

  // Set before the watch is shared, never changed: the next one of the same engine.
  RunWatch* next = nullptr;

 private:
  static constexpr std::uint32_t kIdle = 0;
  static constexpr std::uint32_t kRunning = 1;
  static constexpr std::uint32_t kLookedAt = 2;

  [[nodiscard]] std::size_t first_wanted(std::size_t from) const {
    while (from < rows_.size() && rows_[from].request->settled()) ++from;
    return from;
  }

  // Changed by the replica from and to idle, by the owner between the other two.
  alignas(kCacheLine) std::atomic<std::uint32_t> state_{kIdle};

  // The replica's while idle, the owner's while looked at. While running nobody writes them, and
  // the replica may read rows_.
  Runner* runner_ = nullptr;
  std::span<const ClaimedRow> rows_;
  std::size_t wanted_ = 0;  // the rows before it are unwanted: settled is for ever
  bool interrupted_ = false;
};

}  // namespace millrace
