// The result cache of a stage, and what it is made of: keys, the store, flights.
#include "engine/result_cache.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "engine_harness.h"
#include "trial.h"

namespace millrace {
namespace {

using Kind = ResultCache::Answer::Kind;

constexpr std::size_t kPlenty = 1 << 20;

// Keys by number. Some share their hash, so that comparing them in full is what tells them apart.
Key key_of(int number, std::size_t bytes = 8) {
  Key key;
  key.hash = static_cast<std::uint64_t>(number % 3);
  key.bytes.assign(bytes, std::byte{0});
  std::memcpy(key.bytes.data(), &number, sizeof number);
  return key;
}

SharedResult result_of(int number, std::size_t bytes = 8) {
  auto result = std::make_shared<StageResult>();
  result->fixed.assign(bytes, std::byte{0});
  std::memcpy(result->fixed.data(), &number, sizeof number);
  return result;
}

// -1 for none.
int number_of(const SharedResult& result) {
  if (result == nullptr) return -1;
  int number = 0;
  std::memcpy(&number, result->fixed.data(), sizeof number);
  return number;
}

// What one entry takes.
std::size_t entry_bytes(std::size_t key_bytes = 8, std::size_t result_bytes = 8) {
  ResultStore store({kPlenty, kNever});
  store.insert(key_of(0, key_bytes), result_of(0, result_bytes), 0);
  return store.bytes();
}

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

// Requests of one row that nobody else holds.
class Rows {
 public:
  Rows() {
    for (std::uint32_t i = 0; i < 6; ++i) {
      requests_.push_back(std::make_unique<Request>(layout_, i));
      requests_.back()->prepare(1);
    }
  }
  RowRef operator[](std::size_t index) { return {requests_[index].get(), 0}; }
  void cancel(std::size_t index) {
    EXPECT_TRUE(requests_[index]->settlement.try_settle(Outcome::kCancelled));
  }
  // Which of them these are.
  std::vector<std::uint32_t> names(const std::vector<RowRef>& rows) {
    std::vector<std::uint32_t> names;
    names.reserve(rows.size());
    for (const RowRef& row : rows) names.push_back(row.request->index());
    return names;
  }

 private:
  const PipelineSpec spec_ = single(fake());
  const Layout layout_{spec_};
  std::vector<std::unique_ptr<Request>> requests_;
};

class ResultCacheTest : public testing::Test {
 protected:
  Kind ask(int key, std::size_t row) {
    const Key asked = key_of(key);
    return cache_.ask(asked.view(), rows_[row], 0).kind;
  }
  std::vector<std::uint32_t> complete(std::size_t row, int result = 1) {
    return rows_.names(cache_.complete(rows_[row], result_of(result), 0));
  }

  using Names = std::vector<std::uint32_t>;
  Rows rows_;
  ResultCache cache_{{kPlenty, kNever}};
};

TEST_F(ResultCacheTest, LetsTheFirstRowLeadAndAttachesItsEquals) {
  EXPECT_EQ(ask(1, 0), Kind::kLeads);
  EXPECT_EQ(ask(1, 1), Kind::kAttached);
  EXPECT_EQ(ask(4, 2), Kind::kLeads) << "it has the same hash and is another key";
  EXPECT_EQ(ask(1, 3), Kind::kAttached);
  EXPECT_EQ(complete(0), (Names{1, 3}));
  EXPECT_EQ(complete(2), (Names{}));
}

TEST_F(ResultCacheTest, AnswersOnceTheLeaderIsThrough) {
  ask(1, 0);
  complete(0, 42);
  const Key key = key_of(1);
  const auto answer = cache_.ask(key.view(), rows_[1], 0);
  EXPECT_EQ(answer.kind, Kind::kHit);
  EXPECT_EQ(number_of(answer.result), 42);
}

TEST_F(ResultCacheTest, KeepsNoFailure) {
  ask(1, 0);
  ask(1, 1);
  EXPECT_EQ(rows_.names(cache_.fail(rows_[0])), (Names{1}));
  EXPECT_EQ(ask(1, 2), Kind::kLeads);
}

TEST_F(ResultCacheTest, LetsTheFirstThatIsStillWantedSucceedALeaderThatLeft) {
  ask(1, 0);
  for (std::size_t row = 1; row < 5; ++row) ask(1, row);
  rows_.cancel(1);
  rows_.cancel(2);
  const Succession succession = cache_.succeed(rows_[0]);
  EXPECT_EQ(rows_.names(succession.gone), (Names{1, 2}));
  ASSERT_TRUE(succession.heir);
  EXPECT_EQ(succession.heir->request->index(), 3u);
  EXPECT_EQ(ask(1, 5), Kind::kAttached);
  EXPECT_EQ(complete(3), (Names{4, 5}));
}

TEST_F(ResultCacheTest, EndsAFlightThatNobodyWants) {
  ask(1, 0);
  ask(1, 1);
  rows_.cancel(1);
  const Succession succession = cache_.succeed(rows_[0]);
  EXPECT_FALSE(succession.heir);
  EXPECT_EQ(rows_.names(succession.gone), (Names{1}));
  EXPECT_EQ(ask(1, 2), Kind::kLeads);
}

TEST_F(ResultCacheTest, DoesNothingForARowThatDoesNotLead) {
  ask(1, 0);
  ask(1, 1);
  cache_.fail(rows_[0]);
  EXPECT_FALSE(cache_.succeed(rows_[0]).heir) << "its flight ended before";
  EXPECT_TRUE(cache_.fail(rows_[1]).empty());
  EXPECT_TRUE(complete(2).empty());
  EXPECT_EQ(ask(1, 3), Kind::kLeads) << "and nothing was kept";
}

TEST_F(ResultCacheTest, ForgetsWhatItKeptWhenCleared) {
  ask(1, 0);
  complete(0);
  cache_.clear();
  EXPECT_EQ(ask(1, 1), Kind::kLeads);
}

TEST_F(ResultCacheTest, ClearedKeepsAndSharesNothingThatWasBegunBefore) {
  ask(1, 0);
  ask(1, 1);
  cache_.clear();
  EXPECT_EQ(ask(1, 2), Kind::kLeads) << "the old run is not for it";
  EXPECT_EQ(complete(0), (Names{1})) << "but for those who waited";
  EXPECT_EQ(ask(1, 3), Kind::kAttached) << "and does not end the new flight";
  EXPECT_EQ(complete(2, 7), (Names{3}));
  const Key key = key_of(1);
  EXPECT_EQ(number_of(cache_.ask(key.view(), rows_[4], 0).result), 7);
}

TEST_F(ResultCacheTest, ClearedLetsAnOldFlightBeSucceededAndKeepsNothingOfIt) {
  ask(1, 0);
  ask(1, 1);
  cache_.clear();
  ASSERT_TRUE(cache_.succeed(rows_[0]).heir);
  EXPECT_EQ(complete(1), (Names{}));
  EXPECT_EQ(ask(1, 2), Kind::kLeads);
}

TEST_F(ResultCacheTest, CountsWhatItDid) {
  ask(1, 0);
  ask(1, 1);
  complete(0);
  ask(1, 2);
  ask(2, 3);
  const CacheStats stats = cache_.stats();
  EXPECT_EQ(stats.hits, 1u);
  EXPECT_EQ(stats.shared, 1u);
  EXPECT_EQ(stats.misses, 2u);
  EXPECT_EQ(stats.entries, 1u);
  EXPECT_EQ(stats.bytes, entry_bytes());
  EXPECT_EQ(stats.evictions, 0u);
}

// The key of a request of one row of strings.
Key key_of_strings(const std::vector<std::string>& strings) {
  FakeOptions options;
  options.strings = true;
  options.width = -1;
  PipelineSpec spec = single(fake(options));
  spec.inputs = {{"x", DataType::kString, {-1, -1}}};
  const Layout layout(spec);
  Request request(layout, 0);
  request.prepare(1);
  CallerInput input;
  input.strings = strings.data();
  input.row_elements = strings.size();
  input.row_dims = {static_cast<std::int64_t>(strings.size())};
  request.begin_submit(&input, 1);
  KeyWriter writer;
  return Key(writer.write(spec.stages[0], layout, request, 0));
}

// The key of row 1 of a request of two.
Key key_of_floats(const std::vector<float>& row, std::vector<std::int64_t> row_dims) {
  FakeOptions options;
  options.width = -1;
  PipelineSpec spec = single(fake(options));
  spec.inputs = {{"x", DataType::kFloat32, {-1, -1, -1}}};
  const Layout layout(spec);
  Request request(layout, 0);
  request.prepare(2);
  std::vector<float> rows(row.size(), 5);
  rows.insert(rows.end(), row.begin(), row.end());
  CallerInput input;
  input.data = reinterpret_cast<const std::byte*>(rows.data());
  input.row_bytes = row.size() * sizeof(float);
  input.row_elements = row.size();
  input.row_dims = std::move(row_dims);
  request.begin_submit(&input, 1);
  KeyWriter writer;
  return Key(writer.write(spec.stages[0], layout, request, 1));
}

bool equal(const Key& a, const Key& b) {
  return a.view() == b.view();
}

TEST(CacheKey, IsEqualForEqualRows) {
  EXPECT_TRUE(equal(key_of_strings({"ab", "c"}), key_of_strings({"ab", "c"})));
  EXPECT_TRUE(equal(key_of_floats({1, 2}, {2, 1}), key_of_floats({1, 2}, {2, 1})));
}

TEST(CacheKey, TellsApartRowsOfTheSameBytesAndOtherShapes) {
  EXPECT_FALSE(equal(key_of_floats({1, 2}, {2, 1}), key_of_floats({1, 2}, {1, 2})));
  EXPECT_FALSE(equal(key_of_floats({}, {0, 1}), key_of_floats({}, {1, 0})));
}

TEST(CacheKey, TellsApartStringsThatJoinToTheSame) {
  EXPECT_FALSE(equal(key_of_strings({"ab", "c"}), key_of_strings({"a", "bc"})));
  EXPECT_FALSE(equal(key_of_strings({"abc", ""}), key_of_strings({"", "abc"})));
  EXPECT_FALSE(equal(key_of_strings({std::string("a\0", 2)}), key_of_strings({"a"})));
}

TEST(CacheKey, TellsApartZeroAndMinusZero) {
  EXPECT_FALSE(equal(key_of_floats({0.0f}, {1, 1}), key_of_floats({-0.0f}, {1, 1})));
}

TEST(CacheKey, HashesEachByteOfAnyLength) {
  std::vector<std::uint64_t> seen;
  for (std::size_t length = 0; length < 80; ++length) {
    std::vector<std::byte> bytes(length);
    seen.push_back(hash_bytes(bytes));
    for (std::byte& byte : bytes) {
      byte = std::byte{1};
      seen.push_back(hash_bytes(bytes));
      byte = std::byte{0};
    }
  }
  std::sort(seen.begin(), seen.end());
  EXPECT_EQ(std::adjacent_find(seen.begin(), seen.end()), seen.end());
}

}  // namespace
}  // namespace millrace
