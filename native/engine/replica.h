// A replica: one native thread that serves one stage. It asks the batching policy what to do, takes
// that many rows, runs the model, stores what somebody reads, and sends the rows on.
//
// A batch that fails is split in halves until the guilty rows stand alone (unless the stage asks
// not to): only they fail, the others are served. Rows that have left meanwhile are not run again.
#pragma once

#include <atomic>
#include <memory>
#include <span>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "batching/lanes.h"
#include "batching/policy.h"
#include "engine/batch.h"
#include "engine/batch_outputs.h"
#include "engine/router.h"
#include "engine/stats.h"
#include "model/model.h"
#include "queue/spinner.h"

namespace millrace {

// What a replica works with; everything outlives it.
struct ReplicaContext {
  const StageSpec& spec;
  const Layout& layout;
  std::uint32_t stage;
  Router& router;
  const Clock& clock;
  ReplicaStats& stats;
};

class Replica {
 public:
  Replica(const ReplicaContext& context, std::unique_ptr<Runner> runner);

  // Once. Fails where the system has no thread left.
  Status start();

  ~Replica();  // stops and joins

  Replica(const Replica&) = delete;
  Replica& operator=(const Replica&) = delete;

  // Asks it to end after the batch in progress. Any thread; does not wait.
  void stop();

  // After stop(): waits for the batch in progress. One thread.
  void join();

  // Makes the batch in progress fail soon. Any thread.
  void terminate() { runner_->terminate(); }

 private:
  struct Claimed {
    std::uint8_t lane;
    std::uint8_t priority;
    Ring<RowRef>::Claim claim;
  };
  struct Dropped {
    Request* request;
    std::uint32_t row;
  };

  void serve();
  void idle();
  void park();
  LaneDecision look(Nanos now);
  void take(const LaneDecision& next, Nanos now);
  void claim(const LaneDecision& next, Nanos now);
  std::size_t claim_from(std::size_t lane, std::uint8_t priority, std::size_t most, Nanos now);
  bool alike(std::uint8_t priority);
  std::uint64_t claimed_shape();
  void top_up(const Decision& decision, std::size_t claimed, Nanos now);
  void admit(const Claimed& claimed, Nanos now);
  bool drop(Request& request, std::uint32_t row, Nanos now);
  void release_claims();
  void run_rows(std::span<ClaimedRow> rows);
  Status store(std::span<const ClaimedRow> rows);
  void count_run(std::size_t rows, Nanos service);
  void run_again(std::span<ClaimedRow> rows);
  void split(std::span<ClaimedRow> rows, const Error& error);
  void fail_row(const ClaimedRow& row, Outcome outcome, const Error& error);
  void send_on();

  const ReplicaContext context_;
  const StageLayout& stage_;
  StageQueue& queue_;
  const BatchingLimits limits_;
  std::unique_ptr<Runner> runner_;
  Settler settler_;
  BatchInputs inputs_;
  BatchOutputs outputs_;
  Spinner spinner_;
  RunResult result_;
  std::vector<QueueView> views_;  // of the lanes, as look() saw them last
  std::vector<Claimed> claims_;
  std::vector<ClaimedRow> live_;
  std::vector<Dropped> dropped_;       // resolved as not run
  std::vector<ClaimedRow> served_;     // resolved as run
  std::atomic<bool> stopping_{false};  // written by stop(), read by the thread; release/acquire
  std::thread thread_;
};

}  // namespace millrace
