// The deadline wheel: requests by deadline.
#include "engine/deadline_wheel.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <set>
#include <vector>

#include "trial.h"

namespace millrace {
namespace {

constexpr Nanos kMs = kNanosPerMilli;
constexpr Nanos kTurn = 1024 * kMs;
constexpr Nanos kStart = 5'000 * kMs + 123;

class DeadlineWheelTest : public testing::Test {
 protected:
  Request& add(Nanos deadline) {
    requests_.push_back(
        std::make_unique<Request>(layout_, static_cast<std::uint32_t>(requests_.size())));
    requests_.back()->deadline = deadline;
    wheel_.add(*requests_.back());
    return *requests_.back();
  }

  std::set<const Request*> advance(Nanos now) {
    std::set<const Request*> expired;
    wheel_.advance(now, [&](Request& request) {
      EXPECT_TRUE(expired.insert(&request).second) << "it expires once";
    });
    return expired;
  }

  using Expired = std::set<const Request*>;

  const Layout layout_{PipelineSpec{}};
  DeadlineWheel wheel_{kStart};
  std::vector<std::unique_ptr<Request>> requests_;
};

TEST_F(DeadlineWheelTest, HasNothingToDoWhenEmpty) {
  EXPECT_EQ(wheel_.size(), 0u);
  EXPECT_EQ(wheel_.next(), kNever);
  EXPECT_TRUE(advance(kStart + 10 * kTurn).empty());
}

TEST_F(DeadlineWheelTest, ExpiresWhatIsDueAndNothingEarlier) {
  const Request& request = add(kStart + 10 * kMs);
  EXPECT_EQ(wheel_.next(), kStart + 10 * kMs);
  EXPECT_TRUE(advance(kStart + 10 * kMs - 1).empty());
  EXPECT_EQ(advance(kStart + 10 * kMs), Expired{&request});
  EXPECT_EQ(wheel_.next(), kNever);
}

TEST_F(DeadlineWheelTest, TellsRequestsOfTheSameMillisecondApart) {
  const Nanos tick = kStart / kMs * kMs + 7 * kMs;
  const Request& later = add(tick + 900'000);
  const Request& sooner = add(tick + 100'000);
  EXPECT_EQ(wheel_.next(), tick + 100'000);
  EXPECT_EQ(advance(tick + 500'000), Expired{&sooner});
  EXPECT_EQ(wheel_.next(), tick + 900'000);
  EXPECT_EQ(advance(tick + 900'000), Expired{&later});
}

TEST_F(DeadlineWheelTest, ExpiresAtOnceWhatIsPastWhenItIsAdded) {
  advance(kStart + 50 * kMs);
  const Request& past = add(kStart - 100 * kMs);
  EXPECT_LE(wheel_.next(), kStart + 50 * kMs);
  EXPECT_EQ(advance(kStart + 50 * kMs), Expired{&past});
}

TEST_F(DeadlineWheelTest, ForgetsWhatIsRemoved) {
  Request& first = add(kStart + kMs);
  Request& second = add(kStart + kMs);
  Request& third = add(kStart + kMs);
  wheel_.remove(second);
  wheel_.remove(second);
  wheel_.remove(third);
  EXPECT_EQ(wheel_.size(), 1u);
  EXPECT_EQ(advance(kStart + kTurn), Expired{&first});
  wheel_.remove(first);
  EXPECT_EQ(wheel_.size(), 0u);
}

TEST_F(DeadlineWheelTest, KeepsDeadlinesThatAreTurnsAway) {
  const Request& far = add(kStart + 3 * kTurn + 5 * kMs);
  Nanos now = kStart;
  int calls = 0;
  for (; wheel_.size() > 0 && calls < 10; ++calls) {
    const Nanos next = wheel_.next();
    EXPECT_GT(next, now) << "asking again too soon";
    EXPECT_LE(next, far.deadline);
    now = next;
    advance(now);
  }
  EXPECT_EQ(now, far.deadline);
  EXPECT_LE(calls, 5);
}

TEST_F(DeadlineWheelTest, CatchesUpOverManyTurnsAtOnce) {
  Expired all;
  for (int i = 0; i < 3'000; i += 7) all.insert(&add(kStart + i * kMs));
  EXPECT_EQ(advance(kStart + 20 * kTurn), all);
}

TEST_F(DeadlineWheelTest, SurvivesTheLatestDeadlineThereIs) {
  add(kNever - 1);
  EXPECT_LT(wheel_.next(), kNever);
  EXPECT_TRUE(advance(kStart + 1'000 * kTurn).empty());
}

// The plainest implementation there is.
class Oracle {
 public:
  void add(const Request& request) { all_.insert(&request); }
  void remove(const Request& request) { all_.erase(&request); }
  std::set<const Request*> advance(Nanos now) {
    std::set<const Request*> expired;
    std::copy_if(all_.begin(), all_.end(), std::inserter(expired, expired.end()),
                 [&](const Request* request) { return request->deadline <= now; });
    for (const Request* request : expired) all_.erase(request);
    return expired;
  }
  [[nodiscard]] Nanos earliest() const {
    Nanos earliest = kNever;
    for (const Request* request : all_) earliest = std::min(earliest, request->deadline);
    return earliest;
  }
  [[nodiscard]] std::size_t size() const { return all_.size(); }

 private:
  std::set<const Request*> all_;
};

TEST_F(DeadlineWheelTest, AgreesWithAListThatIsSearched) {
  const char* given = std::getenv("MILLRACE_SEED");
  const std::uint64_t seed = given == nullptr ? 1 : std::strtoull(given, nullptr, 10);
  SCOPED_TRACE("MILLRACE_SEED=" + std::to_string(seed));
  det::Random random(seed);
  Oracle oracle;
  Nanos now = kStart;
  for (int step = 0; step < 20'000 && !HasFailure(); ++step) {
    const int what = random.below(10);
    if (what < 5) {
      const Nanos range = random.one_in(4) ? 4 * kTurn : 40 * kMs;
      oracle.add(add(now - 2 * kMs +
                     static_cast<Nanos>(random.next() % static_cast<std::uint64_t>(range))));
    } else if (what < 7 && !requests_.empty()) {
      Request& victim =
          *requests_[static_cast<std::size_t>(random.below(static_cast<int>(requests_.size())))];
      wheel_.remove(victim);
      oracle.remove(victim);
    } else {
      const Nanos most = random.one_in(50) ? 3 * kTurn : 8 * kMs;
      now += static_cast<Nanos>(random.next() % static_cast<std::uint64_t>(most));
      ASSERT_EQ(advance(now), oracle.advance(now)) << "step " << step;
    }
    ASSERT_EQ(wheel_.size(), oracle.size());
    ASSERT_LE(wheel_.next(), oracle.earliest()) << "it would be late, step " << step;
    if (oracle.earliest() < now + kTurn - kMs) {
      ASSERT_EQ(wheel_.next(), oracle.earliest());
    }
  }
}

}  // namespace
}  // namespace millrace
