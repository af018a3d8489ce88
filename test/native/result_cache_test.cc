// The cache of a stage: results kept, and rows in flight.
#include "engine/result_cache.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "engine_harness.h"
#include "numbered_results.h"

namespace millrace {
namespace {

using Kind = ResultCache::Answer::Kind;

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

TEST_F(ResultCacheTest, KnowsWhetherALeaderIsFollowed) {
  ask(1, 0);
  EXPECT_FALSE(cache_.followed(rows_[0]));
  ask(1, 1);
  ask(1, 2);
  rows_.cancel(1);
  EXPECT_TRUE(cache_.followed(rows_[0]));
  rows_.cancel(2);
  EXPECT_FALSE(cache_.followed(rows_[0]));
  EXPECT_FALSE(cache_.followed(rows_[5])) << "it does not lead";
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

}  // namespace
}  // namespace millrace
