// A replica: one native thread that serves one stage. It asks the batching policy what to do, takes
// that many rows, runs the model, stores what somebody reads, and sends the rows on.
//
// Rows that cannot be answered in time are shed, those behind them take their places, so that under
// overload batches are full of rows worth running.
//
// A batch that fails is split in halves until the guilty rows stand alone: only they fail, the
// others are served.
#pragma once

#include <atomic>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "batching/policy.h"
#include "engine/batch.h"
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
  void serve();
  void idle();
  void park();
  void look(Nanos now);
  void take(const Decision& decision, Nanos now);
  void claim(const Decision& decision, Nanos now);
  std::size_t claim_from(std::uint8_t priority, std::size_t rows);
  void admit(const Ring<RowRef>::Claim& claim, std::uint8_t priority);
  void judge_again();
  void shed(const ClaimedRow& row);
  void release_claims();
  void run_rows(std::span<const ClaimedRow> rows);
  void split(std::span<const ClaimedRow> rows, const Error& error);
  Status store(std::span<const ClaimedRow> rows);
  Status check(std::span<const ClaimedRow> rows, std::size_t output) const;
  void store_fixed(std::span<const ClaimedRow> rows, std::uint32_t value, const TensorView& output);
  void store_open(std::span<const ClaimedRow> rows, std::uint32_t value, const TensorView& output);
  void send_on();

  struct Claimed {
    std::uint8_t priority;
    Ring<RowRef>::Claim claim;
  };
  struct Dropped {
    Request* request;
    std::uint32_t row;
  };

  const ReplicaContext context_;
  const StageLayout& stage_;
  StageQueue& queue_;
  StageGauge& gauge_;
  BatchingLimits limits_;
  std::size_t seat_ = StageGauge::kNoSeat;
  std::size_t wanted_ = 0;  // rows of the batch that is being claimed
  std::unique_ptr<Runner> runner_;
  Settler settler_;
  BatchInputs inputs_;
  Spinner spinner_;
  RunResult result_;
  std::vector<Claimed> claims_;
  std::vector<ClaimedRow> live_;
  std::vector<ClaimedRow> doubtful_;   // too late for a batch of wanted_ rows
  std::vector<Dropped> dropped_;       // resolved as not run
  std::vector<ClaimedRow> served_;     // resolved as run
  std::atomic<bool> stopping_{false};  // written by stop(), read by the thread; release/acquire
  std::thread thread_;
};

}  // namespace millrace
