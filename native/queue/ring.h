// A bounded lock-free ring for many producers and many consumers, made for batches.
//
// Every waiting row of a stage occupies one slot. index(position) also names the row's place in an
// input arena kept elsewhere, so a claim of n neighbouring slots is a batch without a copy. Hence a
// slot that was claimed is not reused before release(): the batch may run for as long as it likes
// on the arena rows it owns.
//
//   a position:  free -> try_reserve -> reserved -> publish -> published -> claim -> claimed ->
//   release -> free
//
// Promises
//   - Any thread may call anything; no call blocks, waits or allocates.
//   - try_reserve gives n consecutive positions or nothing. A reserved position must be published:
//   consumers stop at it.
//   - Positions are claimed strictly in order. A claim is consecutive, all of one shape, and may
//   wrap (see wraps()).
//   - What was written before publish() is visible after claim(); what was done before release() is
//   over before the
//     positions are reserved again. Arena rows need no synchronisation of their own.
// Not promised
//   - size() is a guess while others are at work.
//   - Releases may come in any order, but positions are handed out again in order, so one slow
//   batch holds back the
//     slots behind it. Give the ring room for the batches in flight besides those that wait.
//
// Layout: positions count from 0 and never wrap in practice (64 bits); a position lives in slot
// `position & mask`.
//
//           head_                              tail_                         limit_
//             |                                  |                             |
//   claimed   v  published or reserved           v  free                       v  claimed, or free
//   but not yet noticed
//   ..########|..................................|.............................|##################################
//
//   one cache line each:   [ head_ ]   [ tail_ limit_ ]   [ slot 0 ]   [ slot 1 ]   ...
//
//   slot (64 bytes)  0           8          16         24         32      40         56
//                    | published | released | enqueued | deadline | shape | T value  |
//
// Producers never read a slot to learn whether it is free: limit_ says so, next to the tail_ they
// must change anyway. A release is one store however long its run: `released` of the run's first
// slot holds where the run ends (counted a lap later). Released runs tile the positions, so whoever
// finds limit_ too low walks from run to run and raises it.
//
// Nor do consumers look at tail_: `published` tells them how far they may go.
//
// Memory orders, and who pairs with whom
//   published  store release (publish)    -> load acquire (claim, peek): value, key, arena row of
//   this lap. released   store release (release)    -> load acquire (raise_limit): the batch is
//   done with its rows. limit_     CAS acq_rel (raise_limit)  -> load acquire (try_reserve): passes
//   on what every earlier raise acquired. tail_      relaxed: only hands out positions; limit_ and
//   published carry the data. head_      relaxed: a value occurs once, so of the CASes that expect
//   it only one succeeds, and until then nobody
//              reuses the slots it covers. What claim() read ahead of a successful CAS was
//              therefore not stale.
//   key        store release, load acquire: a key of a later lap, seen by peek(), brings with it
//   the head_ that passed
//              the position, and so peek()'s second look at head_ differs. (Free on x86.)
#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <type_traits>

#include "base/clock.h"
#include "base/cpu.h"
#include "queue/prefetch.h"

namespace millrace {

// What the batching policy needs to know of a row without claiming it. Rows of equal `shape` may
// share a batch.
struct SlotKey {
  Nanos enqueued;
  Nanos deadline;
  std::uint64_t shape;
};

template <class T, template <class> class Atomic = std::atomic>
class Ring {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  // Consecutive positions, owned until released. A count of 0 owns nothing.
  struct Claim {
    std::uint64_t position;
    std::size_t count;
  };

  // The capacity is rounded up to a power of two, at least 2.
  explicit Ring(std::size_t capacity)
      : mask_(std::bit_ceil(std::max<std::size_t>(capacity, 2)) - 1),
        slots_(std::make_unique<Slot[]>(mask_ + 1)) {
    limit_.store(mask_ + 1, std::memory_order_relaxed);
  }

  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;

  // n consecutive positions, the first of which is returned; nothing when fewer than n are free in
  // a row, or for an n of 0 or beyond the capacity.
  std::optional<std::uint64_t> try_reserve(std::size_t n) {
    if (n == 0 || n > capacity()) return std::nullopt;
    std::uint64_t position = tail_.load(std::memory_order_relaxed);
    for (;;) {
      if (position + n > limit_.load(std::memory_order_acquire) && !raise_limit(position + n)) {
        return std::nullopt;
      }
      if (tail_.compare_exchange_weak(position, position + n, std::memory_order_relaxed,
                                      std::memory_order_relaxed)) {
        if (n == 1) prefetch_for_write(&slot_of(position + kWriteAhead));
        return position;
      }
    }
  }

  // Makes one reserved position visible. The caller has already written the arena row. Positions of
  // one reservation may be published in any order; consumers see them in the order of positions.
  void publish(std::uint64_t position, const SlotKey& key, const T& value) {
    Slot& slot = slot_of(position);
    slot.enqueued.store(key.enqueued, std::memory_order_release);
    slot.deadline.store(key.deadline, std::memory_order_release);
    slot.shape.store(key.shape, std::memory_order_release);
    slot.value = value;
    slot.published.store(position + 1, std::memory_order_release);
  }

  // The oldest published rows, `max` at most, all of one shape. A count of 0 when nothing is ready.
  Claim claim(std::size_t max) {
    std::uint64_t position = head_.load(std::memory_order_relaxed);
    for (;;) {
      const std::size_t count = ready_run(position, max);
      if (count == 0) {
        if (!overtaken(position)) return {position, 0};
        position = head_.load(std::memory_order_relaxed);
      } else if (head_.compare_exchange_weak(position, position + count, std::memory_order_relaxed,
                                             std::memory_order_relaxed)) {
        return {position, count};
      }
    }
  }

  // Between claim and release, by the owner of the claim only.
  T& at(std::uint64_t position) { return slot_of(position).value; }
  const T& at(std::uint64_t position) const { return slot_of(position).value; }
  SlotKey key(std::uint64_t position) const { return read_key(slot_of(position)); }

  // Gives claimed positions back. A claim may be released whole or in consecutive parts, in any
  // order.
  void release(std::uint64_t position, std::size_t count) {
    if (count == 0) return;
    slot_of(position).released.store(position + count + capacity(), std::memory_order_release);
  }

  // The key of the oldest published row nobody has claimed; false when there is none. Never a
  // mixture of two keys; by the time the caller looks, another consumer may have claimed the row.
  bool peek(SlotKey& oldest) const {
    std::uint64_t position = head_.load(std::memory_order_relaxed);
    for (;;) {
      const Slot& slot = slot_of(position);
      const std::uint64_t published = slot.published.load(std::memory_order_acquire);
      if (published < position + 1) return false;
      const SlotKey key = read_key(slot);
      const std::uint64_t confirmed = head_.load(std::memory_order_relaxed);
      if (published == position + 1 && confirmed == position) {
        oldest = key;
        return true;
      }
      position = confirmed;
    }
  }

  // How many of the oldest rows a claim could take by now, were they of one shape; counts up to
  // `most`. Like peek(), of a moment that may be over. Unlike size(), not of rows that are only
  // reserved.
  std::size_t published(std::size_t most) const {
    std::uint64_t position = head_.load(std::memory_order_relaxed);
    for (std::size_t count = 0;;) {
      if (count < most && is_published(position + count)) {
        ++count;
      } else if (count > 0 || !overtaken(position)) {
        return count;
      } else {
        position = head_.load(std::memory_order_relaxed);
      }
    }
  }

  // Positions that wait: reserved or published, not claimed.
  std::size_t size() const {
    const std::uint64_t head = head_.load(std::memory_order_relaxed);
    const std::uint64_t tail = tail_.load(std::memory_order_relaxed);
    return tail > head ? std::min<std::size_t>(tail - head, capacity()) : 0;
  }

  std::size_t capacity() const { return mask_ + 1; }
  std::size_t index(std::uint64_t position) const { return position & mask_; }

  // Whether a claim runs over the end of the arena and is therefore two pieces there.
  bool wraps(const Claim& claim) const { return index(claim.position) + claim.count > capacity(); }

 private:
  struct alignas(kCacheLine) Slot {
    // Position + 1 of the newest row; its producer writes it, and the key and value before it.
    Atomic<std::uint64_t> published{0};
    // End, a lap later, of the newest released run that starts here; its consumer writes it.
    Atomic<std::uint64_t> released{0};
    Atomic<Nanos> enqueued{0};
    Atomic<Nanos> deadline{0};
    Atomic<std::uint64_t> shape{0};
    T value{};
  };
  static constexpr std::size_t kKeyBytes = 5 * sizeof(std::uint64_t);
  static_assert(!std::is_same_v<Atomic<Nanos>, std::atomic<Nanos>> ||
                    sizeof(T) > kCacheLine - kKeyBytes || sizeof(Slot) == kCacheLine,
                "a slot with a small payload is exactly one cache line");

  // Enough to spread the cost of the CAS when batches are small, without touching many lines ahead
  // of their use.
  static constexpr int kMaxRunsPerRaise = 16;

  // The lines of the next slots are in the caches of the consumers that had them last. Rows
  // reserved one by one fetch them ahead, or else each reservation's CAS waits for the publish
  // before it to get its line: 56 instead of 40 ns a transfer between two cores (ring_bench). The
  // stores of a longer reservation overlap by themselves.
  static constexpr std::size_t kWriteAhead = 4;

  Slot& slot_of(std::uint64_t position) { return slots_[index(position)]; }
  const Slot& slot_of(std::uint64_t position) const { return slots_[index(position)]; }

  static SlotKey read_key(const Slot& slot) {
    return {slot.enqueued.load(std::memory_order_acquire),
            slot.deadline.load(std::memory_order_acquire),
            slot.shape.load(std::memory_order_acquire)};
  }

  bool is_published(std::uint64_t position) const {
    return slot_of(position).published.load(std::memory_order_acquire) == position + 1;
  }

  // How many rows from `position` on are published and alike. Only true if head_ is still
  // `position` afterwards.
  std::size_t ready_run(std::uint64_t position, std::size_t max) const {
    std::uint64_t first_shape = 0;
    std::size_t count = 0;
    for (; count < max; ++count) {
      if (!is_published(position + count)) break;
      const std::uint64_t shape = slot_of(position + count).shape.load(std::memory_order_relaxed);
      if (count == 0) first_shape = shape;
      if (shape != first_shape) break;
    }
    return count;
  }

  // True when the slot already serves a later lap: another consumer was faster and head_ has moved.
  bool overtaken(std::uint64_t position) const {
    return slot_of(position).published.load(std::memory_order_relaxed) > position + 1;
  }

  // Raises limit_ over released runs until it reaches `wanted`; false if a run in the way is still
  // held.
  bool raise_limit(std::uint64_t wanted) {
    std::uint64_t limit = limit_.load(std::memory_order_acquire);
    while (limit < wanted) {
      std::uint64_t end = limit;
      for (int runs = 0; runs < kMaxRunsPerRaise; ++runs) {
        const std::uint64_t next = slot_of(end).released.load(std::memory_order_acquire);
        if (next <= end) break;  // the mark of the lap before
        end = next;
      }
      if (end == limit) return false;
      if (limit_.compare_exchange_weak(limit, end, std::memory_order_acq_rel,
                                       std::memory_order_acquire)) {
        limit = end;
      }
    }
    return true;
  }

  const std::size_t mask_;
  const std::unique_ptr<Slot[]> slots_;
  alignas(kCacheLine) Atomic<std::uint64_t> head_{0};  // oldest unclaimed position; consumers
  alignas(kCacheLine) Atomic<std::uint64_t> tail_{0};  // next position to hand out; producers
  Atomic<std::uint64_t> limit_{0};  // first position not known to be free; producers
};

}  // namespace millrace
