// Settling: a request ends once, however many things end it.
#include "engine/settlement.h"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <thread>
#include <vector>

#include "deterministic.h"
#include "queue/intrusive_stack.h"

namespace millrace {
namespace {

TEST(Settlement, IsPendingUntilSettled) {
  Settlement<> settlement;
  settlement.reset(1);
  EXPECT_FALSE(settlement.settled());
  EXPECT_EQ(settlement.outcome(), Outcome::kPending);
}

TEST(Settlement, KeepsTheFirstOutcome) {
  Settlement<> settlement;
  settlement.reset(1);
  EXPECT_TRUE(settlement.try_settle(Outcome::kCancelled));
  EXPECT_FALSE(settlement.try_settle(Outcome::kCompleted));
  EXPECT_FALSE(settlement.try_settle(Outcome::kCancelled));
  EXPECT_TRUE(settlement.settled());
  EXPECT_EQ(settlement.outcome(), Outcome::kCancelled);
}

TEST(Settlement, TellsTheLastRow) {
  Settlement<> settlement;
  settlement.reset(3);
  EXPECT_FALSE(settlement.row_finished());
  EXPECT_FALSE(settlement.row_finished());
  EXPECT_TRUE(settlement.row_finished());
}

TEST(Settlement, TellsTheLastReference) {
  Settlement<> settlement;
  settlement.reset(1);
  EXPECT_FALSE(settlement.release());
  EXPECT_TRUE(settlement.release());
}

TEST(Settlement, ServesAnotherRequestAfterReset) {
  Settlement<> settlement;
  for (int i = 0; i < 2; ++i) {
    settlement.reset(1);
    EXPECT_TRUE(settlement.try_settle(Outcome::kCompleted));
    EXPECT_TRUE(settlement.row_finished());
    EXPECT_FALSE(settlement.release());
    EXPECT_TRUE(settlement.release());
  }
}

// A request of two rows that run on two replicas, while a third thread, standing for the sweeper of
// deadlines and for the caller, ends it. The owner's reference is dropped by the consumer of
// completions, as the addon does.
class Request {
 public:
  struct Completion {
    det::Guarded<Completion*> next;
    det::Guarded<Outcome> outcome;
  };

  Request() { settlement_.reset(2); }

  // One replica's work on one row.
  void run_row(int row, bool fails) {
    if (settlement_.settled()) {
      ++skipped_;
    } else {
      outputs_[row] = row + 10;
    }
    if (fails) settle(Outcome::kFailed);
    if (!settlement_.row_finished()) return;
    if (settle(Outcome::kCompleted)) {
      for (int i = 0; i < 2; ++i) det::check(outputs_[i] == i + 10, "all rows are there");
    }
    if (settlement_.release()) recycle();
  }

  bool settle(Outcome outcome) {
    if (!settlement_.try_settle(outcome)) return false;
    ++settled_;
    completion_.outcome = outcome;
    if (completions_.push_chain(&completion_, &completion_)) ++wake_ups_;
    return true;
  }

  // The event loop: takes the one completion, reads outputs, drops the owner's reference.
  void deliver() {
    Completion* completion = nullptr;
    while ((completion = completions_.take_all()) == nullptr) det::pause();
    det::check(completion->next == nullptr, "there is one completion");
    det::check(completion->outcome == settlement_.outcome(), "it has the request's outcome");
    if (completion->outcome == Outcome::kCompleted) {
      det::check(outputs_[0] == 10 && outputs_[1] == 11, "it has the request's outputs");
    }
    if (settlement_.release()) recycle();
  }

  void conclude() {
    det::check(settled_ == 1 && wake_ups_ == 1, "exactly one settles, and wakes the loop once");
    det::check(recycled_ == 1, "exactly one recycles");
    det::check(completions_.take_all() == nullptr, "the completion is pushed once");
    const bool completed = settlement_.outcome() == Outcome::kCompleted;
    det::check(!completed || skipped_ == 0, "no row of a completed request was skipped");
  }

 private:
  void recycle() {
    ++recycled_;
    for (auto& output : outputs_)
      output = 0;  // a race if any row could still be writing, or the loop reading
    completion_.outcome = Outcome::kPending;
  }

  Settlement<det::DetAtomic> settlement_;
  IntrusiveStack<Completion, det::DetAtomic> completions_;
  Completion completion_;
  std::array<det::Guarded<int>, 2> outputs_;
  int settled_ = 0;  // these by the holder of the baton
  int wake_ups_ = 0;
  int recycled_ = 0;
  int skipped_ = 0;
};

std::string explore_request(std::vector<Outcome> interruptions, bool fails) {
  return det::explore(3000, [&](det::Trial& trial) {
    auto request = std::make_shared<Request>();
    trial.thread([request] { request->run_row(0, false); });
    trial.thread([request, fails] { request->run_row(1, fails); });
    trial.thread([request] { request->deliver(); });
    // A late interruption finds the request settled. (Only here may it look at one already
    // recycled.)
    for (const Outcome outcome : interruptions) {
      trial.thread([request, outcome] { request->settle(outcome); });
    }
    trial.afterwards([request] { request->conclude(); });
  });
}

TEST(SettlementInterleavings, CompleteOnce) {
  EXPECT_EQ(explore_request({}, false), "");
}

TEST(SettlementInterleavings, SettleOnceWhenCompletionMeetsFailure) {
  EXPECT_EQ(explore_request({}, true), "");
}

TEST(SettlementInterleavings, SettleOnceWhenCompletionMeetsCancellationAndDeadline) {
  EXPECT_EQ(explore_request({Outcome::kCancelled, Outcome::kDeadlineExceeded}, false), "");
}

TEST(SettlementInterleavings, SettleOnceWhenFailureMeetsCancellationAndDeadline) {
  EXPECT_EQ(explore_request({Outcome::kCancelled, Outcome::kDeadlineExceeded}, true), "");
}

TEST(SettlementStress, SettlesAndRecyclesOnceBetweenRealThreads) {
  constexpr int kRequests = 2'000 / det::kSeedDivisor;
  struct Shared {
    Settlement<> settlement;
    int outputs[2] = {0, 0};
  };
  std::vector<Shared> requests(kRequests);
  for (Shared& request : requests) request.settlement.reset(2);
  std::atomic<int> settled{0};
  std::atomic<int> recycled{0};
  const auto run_row = [&](int row) {
    for (Shared& request : requests) {
      request.outputs[row] = 1;
      if (!request.settlement.row_finished()) continue;
      EXPECT_EQ(request.outputs[0] + request.outputs[1], 2);
      settled += request.settlement.try_settle(Outcome::kCompleted);
      recycled += request.settlement.release();
    }
  };
  std::thread first([&] { run_row(0); });
  std::thread second([&] { run_row(1); });
  for (Shared& request : requests) {
    settled += request.settlement.try_settle(Outcome::kCancelled);
    recycled += request.settlement.release();
  }
  first.join();
  second.join();
  EXPECT_EQ(settled, kRequests);
  EXPECT_EQ(recycled, kRequests);
}

}  // namespace
}  // namespace millrace
