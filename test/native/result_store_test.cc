// The store of results: by key, least recently used, bounded by bytes and age.
#include "engine/result_store.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "numbered_results.h"
#include "trial.h"

namespace millrace {
namespace {

int find(ResultStore& store, int number, Nanos now = 0) {
  const Key key = key_of(number);
  return number_of(store.find(key.view(), now));
}

void insert(ResultStore& store, int number, Nanos now = 0) {
  store.insert(key_of(number), result_of(number), now);
}

TEST(ResultStore, FindsWhatWasInsertedAndNothingElse) {
  ResultStore store({kPlenty, kNever});
  for (int number = 0; number < 9; ++number) insert(store, number);
  for (int number = 0; number < 9; ++number) EXPECT_EQ(find(store, number), number);
  EXPECT_EQ(find(store, 9), -1);
  EXPECT_EQ(store.entries(), 9u);
}

TEST(ResultStore, LetsTheOneNotAskedForTheLongestGo) {
  ResultStore store({3 * entry_bytes(), kNever});
  for (int number = 0; number < 3; ++number) insert(store, number);
  EXPECT_EQ(find(store, 0), 0);
  insert(store, 3);
  EXPECT_EQ(find(store, 1), -1);
  EXPECT_EQ(find(store, 0), 0);
  EXPECT_EQ(store.entries(), 3u);
  EXPECT_EQ(store.evictions(), 1u);
}

TEST(ResultStore, MakesRoomForALargeEntryBySeveralSmallOnes) {
  ResultStore store({4 * entry_bytes(), kNever});
  for (int number = 0; number < 4; ++number) insert(store, number);
  store.insert(key_of(9), result_of(9, 8 + entry_bytes()), 0);
  EXPECT_EQ(find(store, 1), -1);
  EXPECT_EQ(find(store, 2), 2);
  EXPECT_EQ(find(store, 9), 9);
  EXPECT_LE(store.bytes(), 4 * entry_bytes());
}

TEST(ResultStore, CountsStringsAndOpenShapes) {
  auto result = std::make_shared<StageResult>();
  result->blobs.push_back({{1000}, std::vector<std::byte>(1000), {}});
  result->blobs.push_back({{1}, {}, {std::string(500, 'x')}});
  ResultStore store({kPlenty, kNever});
  store.insert(key_of(0), result, 0);
  EXPECT_GE(store.bytes(), 1500u);
  EXPECT_LE(store.bytes(), 2500u);
}

TEST(ResultStore, DoesNotKeepWhatIsLargerThanTheWhole) {
  ResultStore store({entry_bytes(), kNever});
  insert(store, 1);
  store.insert(key_of(2), result_of(2, 1000), 0);
  EXPECT_EQ(find(store, 2), -1);
  EXPECT_EQ(find(store, 1), 1) << "nothing went for it";
}

TEST(ResultStore, OfNoBytesKeepsNothing) {
  ResultStore store({0, kNever});
  insert(store, 1);
  EXPECT_EQ(find(store, 1), -1);
  EXPECT_EQ(store.bytes(), 0u);
}

TEST(ResultStore, ReplacesTheResultOfAKey) {
  ResultStore store({kPlenty, kNever});
  store.insert(key_of(1), result_of(10), 0);
  store.insert(key_of(1), result_of(20), 0);
  EXPECT_EQ(find(store, 1), 20);
  EXPECT_EQ(store.entries(), 1u);
  EXPECT_EQ(store.bytes(), entry_bytes());
}

TEST(ResultStore, NeverServesWhatHasExpired) {
  ResultStore store({kPlenty, 10});
  insert(store, 1, 100);
  EXPECT_EQ(find(store, 1, 109), 1);
  EXPECT_EQ(find(store, 1, 110), -1) << "asking for it makes it no younger";
}

TEST(ResultStore, OfNoTimeKeepsNothing) {
  ResultStore store({kPlenty, 0});
  insert(store, 1, 100);
  EXPECT_EQ(find(store, 1, 100), -1);
  EXPECT_EQ(store.bytes(), 0u);
}

TEST(ResultStore, KeepsForEverWhereTheEndOfTimeIsNearer) {
  ResultStore store({kPlenty, kNever - 5});
  insert(store, 1, 100);
  EXPECT_EQ(find(store, 1, kNever - 1), 1);
}

TEST(ResultStore, ReclaimsExpiredEntriesWhoeverIsAskedFor) {
  ResultStore store({kPlenty, 10});
  for (int number = 0; number < 20; ++number) insert(store, number, number);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(find(store, 99, 1000), -1);
  EXPECT_EQ(store.entries(), 0u);
  EXPECT_EQ(store.bytes(), 0u);
  EXPECT_EQ(store.evictions(), 0u) << "they did not go for want of room";
}

TEST(ResultStore, IsEmptyAfterClear) {
  ResultStore store({2 * entry_bytes(), kNever});
  insert(store, 1);
  store.clear();
  EXPECT_EQ(find(store, 1), -1);
  EXPECT_EQ(store.bytes(), 0u);
  for (int number = 2; number < 5; ++number) insert(store, number);
  EXPECT_EQ(find(store, 4), 4);
}

TEST(ResultStore, LeavesAResultWholeForWhoeverStillReadsIt) {
  ResultStore store({entry_bytes(), kNever});
  insert(store, 1);
  const Key key = key_of(1);
  const SharedResult held = store.find(key.view(), 0);
  insert(store, 2);
  EXPECT_EQ(find(store, 1), -1);
  EXPECT_EQ(number_of(held), 1);
}

// The same in lists that are searched from end to end.
class NaiveStore {
 public:
  explicit NaiveStore(const CacheSpec& limits) : limits_(limits) {}

  int find(int key, Nanos now) {
    reclaim(now);
    const auto found = at(key);
    if (found == by_use_.end()) return -1;
    Entry entry = *found;
    by_use_.erase(found);
    if (expired(entry, now)) return -1;
    by_use_.push_back(entry);
    return entry.value;
  }

  void insert(int key, int value, std::size_t bytes, Nanos now) {
    reclaim(now);
    if (const auto old = at(key); old != by_use_.end()) by_use_.erase(old);
    if (bytes > limits_.max_bytes) return;
    while (this->bytes() + bytes > limits_.max_bytes) by_use_.erase(by_use_.begin());
    by_use_.push_back({key, value, bytes, now, count_++});
  }

  void clear() { by_use_.clear(); }

  [[nodiscard]] std::size_t bytes() const {
    std::size_t sum = 0;
    for (const Entry& entry : by_use_) sum += entry.bytes;
    return sum;
  }
  [[nodiscard]] std::size_t entries() const { return by_use_.size(); }

 private:
  struct Entry {
    int key;
    int value;
    std::size_t bytes;
    Nanos completed;
    int serial;
  };

  std::vector<Entry>::iterator at(int key) {
    return std::find_if(by_use_.begin(), by_use_.end(),
                        [&](const Entry& entry) { return entry.key == key; });
  }
  [[nodiscard]] bool expired(const Entry& entry, Nanos now) const {
    return now - entry.completed >= limits_.ttl;
  }
  void reclaim(Nanos now) {
    for (int i = 0; i < 2; ++i) {
      const auto oldest =
          std::min_element(by_use_.begin(), by_use_.end(),
                           [](const Entry& a, const Entry& b) { return a.serial < b.serial; });
      if (oldest == by_use_.end() || !expired(*oldest, now)) return;
      by_use_.erase(oldest);
    }
  }

  const CacheSpec limits_;
  std::vector<Entry> by_use_;
  int count_ = 0;
};

void expect_same_as_naive(std::uint64_t seed, const CacheSpec& limits) {
  det::Random random(seed);
  ResultStore store(limits);
  NaiveStore naive(limits);
  Nanos now = 0;
  for (int step = 0; step < 3000; ++step) {
    now += random.below(3);
    const int number = random.below(30);
    const int what = random.below(100);
    if (what == 0) {
      store.clear();
      naive.clear();
    } else if (what < 60) {
      ASSERT_EQ(find(store, number, now), naive.find(number, now)) << "step " << step;
    } else {
      const auto size = static_cast<std::size_t>(8 + 8 * random.below(40));
      store.insert(key_of(number), result_of(step, size), now);
      naive.insert(number, step, entry_bytes(8, size), now);
    }
    ASSERT_EQ(store.bytes(), naive.bytes()) << "step " << step;
    ASSERT_EQ(store.entries(), naive.entries()) << "step " << step;
  }
}

TEST(ResultStore, DoesWhatANaiveOneDoes) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    expect_same_as_naive(seed, {12 * entry_bytes(), seed % 2 == 0 ? 25 : 1'000'000'000});
  }
}

}  // namespace
}  // namespace millrace
