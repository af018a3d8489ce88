// The router where rows wait for an equal row and the queue has no room: what no engine does twice
// in the same way. The test is the replica, and never gives a slot back.
#include "engine/router.h"

#include "engine_harness.h"

namespace millrace {
namespace {

constexpr std::size_t kSlots = 2 * kPriorityClasses;  // of a queue for one pending row

PipelineSpec small_pipeline() {
  PipelineSpec spec = single(fake());
  spec.stages[0].cache = CacheSpec{1 << 20, kNever};
  spec.max_pending_rows = 1;
  return spec;
}

class RouterSharing : public testing::Test {
 protected:
  Request& enter(float first) {
    requests_.push_back(
        std::make_unique<Request>(layout_, static_cast<std::uint32_t>(requests_.size())));
    Request& request = *requests_.back();
    request.prepare(1);
    const std::vector<float> row = rows_of({first});
    CallerInput input;
    input.data = reinterpret_cast<const std::byte*>(row.data());
    input.row_bytes = kWidth * sizeof(float);
    request.begin_submit(&input, 1);
    router_.enter(request, settler_);
    request.end_submit();
    return request;
  }

  // What the owner does last; true when the execution let go of the request before.
  static bool let_go(Request& request) { return request.settlement.release(); }

  [[nodiscard]] CacheStats stats() { return router_.cache(0)->stats(); }

  const PipelineSpec spec_ = small_pipeline();
  const Layout layout_{spec_};
  SettledList settled_{[] {}};
  Admission admission_{1};
  Router router_{spec_, layout_, settled_, admission_};
  Settler settler_{router_};
  std::vector<std::unique_ptr<Request>> requests_;
};

TEST_F(RouterSharing, FailsThoseWhoInheritAPlaceThatIsNotThere) {
  Request& leader = enter(1);
  Request& heir = enter(1);
  Request& left = enter(1);
  Request& last = enter(1);
  for (std::size_t i = 1; i < kSlots; ++i) enter(static_cast<float>(100 + i));
  ASSERT_TRUE(leader.settlement.try_settle(Outcome::kCancelled));
  ASSERT_TRUE(left.settlement.try_settle(Outcome::kCancelled));
  router_.resolve(leader, 0, 0, false, settler_);
  EXPECT_EQ(heir.settlement.outcome(), Outcome::kQueueFull);
  EXPECT_EQ(last.settlement.outcome(), Outcome::kQueueFull);
  for (Request* request : {&leader, &heir, &left, &last}) EXPECT_TRUE(let_go(*request));
}

TEST_F(RouterSharing, LetsTheNextLeadAfterARowThatFoundNoRoom) {
  for (std::size_t i = 0; i < kSlots; ++i) enter(static_cast<float>(100 + i));
  Request& full = enter(1);
  EXPECT_EQ(full.settlement.outcome(), Outcome::kQueueFull);
  EXPECT_TRUE(let_go(full));
  const std::uint64_t misses = stats().misses;
  enter(1);
  EXPECT_EQ(stats().misses, misses + 1) << "it did not attach to the one that failed";
  EXPECT_EQ(stats().shared, 0u);
}

TEST_F(RouterSharing, GivesEachAttachedRowTheResultOnce) {
  Request& leader = enter(1);
  Request& first = enter(1);
  Request& left = enter(1);
  ASSERT_TRUE(left.settlement.try_settle(Outcome::kCancelled));
  const std::uint32_t y = layout_.stages[0].output_values[0];
  const float result = 42;
  std::memcpy(leader.record_row(y, 0), &result, sizeof result);
  router_.resolve(leader, 0, 0, true, settler_);
  float given = 0;
  std::memcpy(&given, first.row(y, 0).data, sizeof given);
  EXPECT_EQ(given, 42);
  EXPECT_TRUE(first.ran(0, 0));
  EXPECT_FALSE(left.ran(0, 0));
  EXPECT_EQ(first.settlement.outcome(), Outcome::kCompleted);
  for (Request* request : {&leader, &first, &left}) EXPECT_TRUE(let_go(*request));
}

// The moment of a run is read before those come who join it at the very last.
TEST_F(RouterSharing, SettlesNobodyBeforeItCame) {
  Request& leader = enter(1);
  settler_.set_now(20);
  Request& late = enter(1);
  late.submitted = 20;
  settler_.set_now(15);
  router_.resolve(leader, 0, 0, true, settler_);
  EXPECT_EQ(leader.settled_at, 15);
  EXPECT_EQ(late.settled_at, 20);
  for (Request* request : {&leader, &late}) EXPECT_TRUE(let_go(*request));
}

TEST_F(RouterSharing, LeavesAttachedRowsToTheirEndWhenNobodyServes) {
  Request& leader = enter(1);
  Request& attached = enter(1);
  for (Request* request : {&leader, &attached}) {
    EXPECT_TRUE(settler_.settle(*request, Outcome::kClosed));
    EXPECT_FALSE(let_go(*request)) << "it is still in the queue, or attached";
  }
}

}  // namespace
}  // namespace millrace
