// The ring: what one thread sees, then every interleaving a seed can find, then real threads for
// the sanitizers.
#include "queue/ring.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <thread>
#include <vector>

#include "deterministic.h"

namespace millrace {
namespace {

struct Item {
  std::uint64_t producer;
  std::uint64_t sequence;
};

constexpr SlotKey key_of(std::uint64_t sequence, std::uint64_t shape = 1) {
  return {static_cast<Nanos>(sequence), static_cast<Nanos>(sequence * 2 + 1), shape};
}

template <class R>
bool push(R& ring, std::uint64_t sequence, std::uint64_t shape = 1) {
  const auto position = ring.try_reserve(1);
  if (position) ring.publish(*position, key_of(sequence, shape), Item{0, sequence});
  return position.has_value();
}

TEST(Ring, RoundsItsCapacityUpToAPowerOfTwo) {
  EXPECT_EQ(Ring<Item>(0).capacity(), 2u);
  EXPECT_EQ(Ring<Item>(2).capacity(), 2u);
  EXPECT_EQ(Ring<Item>(5).capacity(), 8u);
}

TEST(Ring, IsEmptyAtFirst) {
  Ring<Item> ring(4);
  SlotKey oldest;
  EXPECT_EQ(ring.claim(8).count, 0u);
  EXPECT_FALSE(ring.peek(oldest));
  EXPECT_EQ(ring.size(), 0u);
}

TEST(Ring, ReservesConsecutivePositionsOrNothing) {
  Ring<Item> ring(4);
  EXPECT_EQ(ring.try_reserve(3), 0u);
  EXPECT_EQ(ring.try_reserve(2), std::nullopt);
  EXPECT_EQ(ring.try_reserve(1), 3u);
  EXPECT_EQ(ring.try_reserve(1), std::nullopt);
  EXPECT_EQ(ring.size(), 4u);
}

TEST(Ring, RefusesToReserveNothingOrMoreThanItHolds) {
  Ring<Item> ring(4);
  EXPECT_EQ(ring.try_reserve(0), std::nullopt);
  EXPECT_EQ(ring.try_reserve(5), std::nullopt);
  EXPECT_EQ(ring.try_reserve(SIZE_MAX), std::nullopt);
}

TEST(Ring, ClaimsTheOldestRunUpToTheMaximum) {
  Ring<Item> ring(8);
  for (std::uint64_t i = 0; i < 5; ++i) push(ring, i);
  const auto first = ring.claim(3);
  const auto second = ring.claim(SIZE_MAX);
  EXPECT_EQ(first.position, 0u);
  EXPECT_EQ(first.count, 3u);
  EXPECT_EQ(second.position, 3u);
  EXPECT_EQ(second.count, 2u);
  EXPECT_EQ(ring.at(4).sequence, 4u);
  EXPECT_EQ(ring.key(4).deadline, key_of(4).deadline);
  EXPECT_EQ(ring.claim(0).count, 0u);
}

TEST(Ring, StopsAClaimAtAReservedPositionThatIsNotPublished) {
  Ring<Item> ring(8);
  const auto position = ring.try_reserve(3);
  ring.publish(*position, key_of(0), {});
  ring.publish(*position + 2, key_of(2), {});
  EXPECT_EQ(ring.claim(8).count, 1u);
  EXPECT_EQ(ring.claim(8).count, 0u);
  ring.publish(*position + 1, key_of(1), {});
  EXPECT_EQ(ring.claim(8).count, 2u);
}

TEST(Ring, CountsWhatAClaimCouldTakeAndNotWhatIsReserved) {
  Ring<Item> ring(4);
  EXPECT_EQ(ring.published(8), 0u);
  const auto position = ring.try_reserve(3);
  EXPECT_EQ(ring.published(8), 0u);
  ring.publish(*position, key_of(0), {});
  ring.publish(*position + 2, key_of(2), {});
  EXPECT_EQ(ring.published(8), 1u);
  EXPECT_EQ(ring.size(), 3u);
  ring.publish(*position + 1, key_of(1), {});
  EXPECT_EQ(ring.published(8), 3u);
  EXPECT_EQ(ring.published(2), 2u);
  const auto claim = ring.claim(2);
  ring.release(claim.position, claim.count);
  push(ring, 3);
  push(ring, 4);
  EXPECT_EQ(ring.published(8), 3u) << "over the end of the slots";
}

TEST(Ring, StopsAClaimWhereTheShapeChanges) {
  Ring<Item> ring(8);
  for (const std::uint64_t shape : {7, 7, 9, 7}) push(ring, 0, shape);
  EXPECT_EQ(ring.claim(8).count, 2u);
  EXPECT_EQ(ring.claim(8).count, 1u);
  EXPECT_EQ(ring.claim(8).count, 1u);
}

TEST(Ring, KeepsClaimedSlotsUntilTheyAreReleased) {
  Ring<Item> ring(2);
  push(ring, 0);
  push(ring, 1);
  const auto claim = ring.claim(2);
  EXPECT_EQ(ring.size(), 0u);
  EXPECT_FALSE(push(ring, 2));
  ring.release(claim.position, claim.count);
  EXPECT_TRUE(push(ring, 2));
  EXPECT_TRUE(push(ring, 3));
  EXPECT_FALSE(push(ring, 4));
}

TEST(Ring, AcceptsReleasesInAnyOrderAndInParts) {
  Ring<Item> ring(8);
  for (int lap = 0; lap < 5; ++lap) {
    for (std::uint64_t i = 0; i < 8; ++i) ASSERT_TRUE(push(ring, i));
    const auto first = ring.claim(3);
    const auto second = ring.claim(5);
    ring.release(second.position + 2, 3);
    ring.release(second.position, 2);
    EXPECT_EQ(ring.try_reserve(1), std::nullopt);
    ring.release(first.position + 1, 2);
    EXPECT_EQ(ring.try_reserve(1), std::nullopt);
    ring.release(first.position, 0);
    EXPECT_EQ(ring.try_reserve(1), std::nullopt);
    ring.release(first.position, 1);
  }
}

TEST(Ring, SaysWhenAClaimWrapsOverTheEndOfTheArena) {
  Ring<Item> ring(4);
  for (std::uint64_t i = 0; i < 3; ++i) push(ring, i);
  const auto first = ring.claim(3);
  EXPECT_FALSE(ring.wraps(first));
  ring.release(first.position, first.count);
  for (std::uint64_t i = 0; i < 3; ++i) push(ring, i);
  const auto second = ring.claim(3);
  EXPECT_EQ(second.count, 3u);
  EXPECT_TRUE(ring.wraps(second));
  EXPECT_EQ(ring.index(second.position), 3u);
  EXPECT_EQ(ring.index(second.position + 1), 0u);
}

TEST(Ring, PeeksAtTheOldestUnclaimedKey) {
  Ring<Item> ring(4);
  push(ring, 10, 3);
  push(ring, 11, 4);
  SlotKey oldest;
  ASSERT_TRUE(ring.peek(oldest));
  EXPECT_EQ(oldest.enqueued, 10);
  EXPECT_EQ(oldest.deadline, 21);
  EXPECT_EQ(oldest.shape, 3u);
  ring.claim(1);
  ASSERT_TRUE(ring.peek(oldest));
  EXPECT_EQ(oldest.enqueued, 11);
  ring.claim(1);
  EXPECT_FALSE(ring.peek(oldest));
}

// Two producers and two consumers (and one who peeks) over a ring small enough to be full and to
// wrap all the time. Arena rows are Guarded: an order too weak anywhere in the ring is a data race
// here.
template <template <class> class Atomic>
class World {
 public:
  static constexpr std::uint64_t kPerProducer = 6;
  static constexpr std::size_t kProducers = 2;
  static constexpr std::size_t kTotal = kPerProducer * kProducers;

  static std::uint64_t tag(const Item& item) { return item.producer * 100 + item.sequence; }
  static std::uint64_t shape(std::uint64_t sequence) { return sequence / 4; }

  explicit World(std::size_t capacity) : ring_(capacity), arena_(ring_.capacity()) {}

  void produce(std::uint64_t producer, std::size_t rows) {
    for (std::uint64_t sequence = 0; sequence < kPerProducer;) {
      const std::size_t n = std::min<std::size_t>(rows, kPerProducer - sequence);
      std::optional<std::uint64_t> position;
      while (!(position = ring_.try_reserve(n))) det::pause();
      for (std::size_t k = 0; k < n; ++k, ++sequence) {
        const Item item{producer, sequence};
        arena_[ring_.index(*position + k)] = tag(item);
        ring_.publish(*position + k, key_of(tag(item), shape(sequence)), item);
      }
    }
  }

  void consume(std::size_t max) {
    while (taken_.size() < kTotal) {
      const auto claim = ring_.claim(max);
      if (claim.count == 0) {
        det::pause();
        continue;
      }
      det::check(claim.count <= max, "a claim has at most the rows asked for");
      for (std::size_t k = 0; k < claim.count; ++k) taken_.push_back(take(claim, k));
      for (std::size_t k = 0; k < claim.count; ++k) check_held(claim.position + k);
      ring_.release(claim.position, claim.count);
    }
  }

  void peek() {
    for (int i = 0; i < 8; ++i) {
      SlotKey key;
      if (!ring_.peek(key)) continue;
      const auto sequence = static_cast<std::uint64_t>(key.enqueued) % 100;
      det::check(key.deadline == key.enqueued * 2 + 1 && key.shape == shape(sequence),
                 "a peeked key is one row's");
    }
  }

  void conclude() {
    std::sort(taken_.begin(), taken_.end(), [](auto& a, auto& b) { return a.first < b.first; });
    det::check(taken_.size() == kTotal, "every row is delivered once");
    std::array<std::uint64_t, kProducers> next{};
    for (std::size_t i = 0; i < taken_.size(); ++i) {
      const Item& item = taken_[i].second;
      det::check(taken_[i].first == i, "every position is claimed once");
      det::check(item.sequence == next[item.producer]++, "each producer's rows keep their order");
    }
    det::check(ring_.try_reserve(ring_.capacity()).has_value(), "everything is free again");
  }

 private:
  std::pair<std::uint64_t, Item> take(const typename Ring<Item, Atomic>::Claim& claim,
                                      std::size_t k) {
    const std::uint64_t position = claim.position + k;
    check_held(position);
    det::check(ring_.key(position).shape == ring_.key(claim.position).shape,
               "a claim is of one shape");
    return {position, ring_.at(position)};
  }

  void check_held(std::uint64_t position) {
    const Item item = ring_.at(position);
    const SlotKey key = ring_.key(position);  // scheduling points while the claim is held
    det::check(arena_[ring_.index(position)] == tag(item), "the row belongs to the slot");
    det::check(static_cast<std::uint64_t>(key.enqueued) == tag(item), "the key is the slot's");
  }

  Ring<Item, Atomic> ring_;
  std::vector<det::Guarded<std::uint64_t>> arena_;
  std::vector<std::pair<std::uint64_t, Item>> taken_;  // by the holder of the baton
};

struct Setting {
  std::size_t capacity;
  std::size_t rows[2];  // of each reservation, by producer
  std::size_t max[2];   // of each claim, by consumer
  bool peeks;
};

template <template <class> class Atomic>
std::string explore_ring(int seeds, const Setting& setting) {
  return det::explore(seeds, [&](det::Trial& trial) {
    auto world = std::make_shared<World<Atomic>>(setting.capacity);
    for (std::uint64_t i = 0; i < 2; ++i) {
      trial.thread([world, i, rows = setting.rows[i]] { world->produce(i, rows); });
      trial.thread([world, max = setting.max[i]] { world->consume(max); });
    }
    if (setting.peeks) trial.thread([world] { world->peek(); });
    trial.afterwards([world] { world->conclude(); });
  });
}

TEST(RingInterleavings, DeliverEveryRowOnceInOrderWhenSlotsAreScarce) {
  EXPECT_EQ(explore_ring<det::DetAtomic>(2500, {2, {1, 1}, {1, 2}, false}), "");
}

TEST(RingInterleavings, DeliverEveryRowOnceInOrderWhenRowsComeInRuns) {
  EXPECT_EQ(explore_ring<det::DetAtomic>(2500, {4, {3, 2}, {3, 4}, false}), "");
}

TEST(RingInterleavings, DeliverEveryRowOnceInOrderInARoomyRing) {
  EXPECT_EQ(explore_ring<det::DetAtomic>(1500, {8, {1, 3}, {2, 8}, false}), "");
}

TEST(RingInterleavings, NeverMixTwoKeysInAPeek) {
  EXPECT_EQ(explore_ring<det::DetAtomic>(4000, {2, {1, 2}, {1, 2}, true}), "");
}

// A compare-and-exchange that is a load, a comparison and a store.
template <class T>
class TornAtomic : public det::DetAtomic<T> {
 public:
  using det::DetAtomic<T>::DetAtomic;
  bool compare_exchange_weak(T& expected, T desired, std::memory_order success,
                             std::memory_order failure) {
    const T found = this->load(failure);
    if (found != expected) {
      expected = found;
      return false;
    }
    this->store(desired, success);
    return true;
  }
};

// Every order weakened to relaxed.
template <class T>
class RelaxedAtomic : public det::DetAtomic<T> {
 public:
  using det::DetAtomic<T>::DetAtomic;
  T load(std::memory_order) const { return det::DetAtomic<T>::load(std::memory_order_relaxed); }
  void store(T value, std::memory_order) {
    det::DetAtomic<T>::store(value, std::memory_order_relaxed);
  }
};

TEST(RingInterleavings, CatchARingWhoseClaimsAreNotAtomic) {
  EXPECT_NE(explore_ring<TornAtomic>(500, {4, {1, 2}, {1, 2}, false}), "");
}

TEST(RingInterleavings, CatchARingWhoseMemoryOrdersAreTooWeak) {
  EXPECT_NE(explore_ring<RelaxedAtomic>(500, {4, {1, 2}, {1, 2}, false}), "");
}

// Real threads. Rows are written into a plain arena, which the sanitizers watch.
class Stress {
 public:
  static constexpr std::uint64_t kPerProducer = 200'000 / (det::kSeedDivisor * 2);

  void produce(std::uint64_t producer) {
    for (std::uint64_t sequence = 0; sequence < kPerProducer;) {
      const std::size_t n = std::min<std::uint64_t>(1 + sequence % 3, kPerProducer - sequence);
      std::optional<std::uint64_t> position;
      while (!(position = ring_.try_reserve(n))) std::this_thread::yield();
      for (std::size_t k = 0; k < n; ++k, ++sequence) {
        arena_[ring_.index(*position + k)] = sequence;
        ring_.publish(*position + k, key_of(sequence, sequence / 1000), {producer, sequence});
      }
    }
  }

  void consume(std::size_t max, std::vector<std::pair<std::uint64_t, Item>>& taken) {
    while (count_.load(std::memory_order_relaxed) < 2 * kPerProducer) {
      const auto claim = ring_.claim(max);
      if (claim.count == 0) std::this_thread::yield();
      for (std::size_t k = 0; k < claim.count; ++k) {
        const std::uint64_t position = claim.position + k;
        EXPECT_EQ(arena_[ring_.index(position)], ring_.at(position).sequence);
        taken.emplace_back(position, ring_.at(position));
      }
      ring_.release(claim.position, claim.count);
      count_.fetch_add(claim.count, std::memory_order_relaxed);
    }
  }

  // While the ring is busy: keys are never torn.
  void watch() {
    while (count_.load(std::memory_order_relaxed) < 2 * kPerProducer) {
      SlotKey key;
      if (ring_.peek(key)) {
        EXPECT_EQ(key.deadline, key.enqueued * 2 + 1);
        EXPECT_EQ(key.shape, static_cast<std::uint64_t>(key.enqueued) / 1000);
      }
      std::this_thread::yield();
    }
  }

 private:
  Ring<Item> ring_{64};
  std::vector<std::uint64_t> arena_ = std::vector<std::uint64_t>(64);
  std::atomic<std::uint64_t> count_{0};
};

TEST(RingStress, DeliversEveryRowOnceInOrderBetweenRealThreads) {
  Stress stress;
  std::vector<std::pair<std::uint64_t, Item>> taken[2];
  std::vector<std::thread> threads;
  for (std::uint64_t i = 0; i < 2; ++i) threads.emplace_back([&, i] { stress.produce(i); });
  threads.emplace_back([&] { stress.consume(1, taken[0]); });
  threads.emplace_back([&] { stress.consume(16, taken[1]); });
  threads.emplace_back([&] { stress.watch(); });
  for (std::thread& thread : threads) thread.join();

  auto& all = taken[0];
  all.insert(all.end(), taken[1].begin(), taken[1].end());
  std::sort(all.begin(), all.end(), [](auto& a, auto& b) { return a.first < b.first; });
  ASSERT_EQ(all.size(), 2 * Stress::kPerProducer);
  std::uint64_t next[2] = {0, 0};
  for (std::size_t i = 0; i < all.size(); ++i) {
    ASSERT_EQ(all[i].first, i);
    ASSERT_EQ(all[i].second.sequence, next[all[i].second.producer]++);
  }
}

}  // namespace
}  // namespace millrace
