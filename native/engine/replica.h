// A replica: one native thread that serves one stage. It asks the batching policy what to do, takes
// that many rows, runs the model, stores what somebody reads, and sends the rows on.
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
  void take(const Decision& decision, Nanos now);
  void claim(const Decision& decision, Nanos now);
  void admit(const Ring<RowRef>::Claim& claim, std::uint8_t priority, Nanos now);
  void release_claims();
  void run_rows(std::span<const ClaimedRow> rows);
  void split(std::span<const ClaimedRow> rows, const Error& error);
  void fail_row(const ClaimedRow& row, const Error& error);
  void serve_rows(std::span<const ClaimedRow> rows);
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
  const BatchingLimits limits_;
  std::unique_ptr<Runner> runner_;
  Settler settler_;
  BatchInputs inputs_;
  Spinner spinner_;
  RunResult result_;
  std::vector<Claimed> claims_;
  std::vector<ClaimedRow> live_;
  std::vector<Dropped> dropped_;       // resolved as not run
  std::vector<ClaimedRow> served_;     // resolved as run
  std::atomic<bool> stopping_{false};  // written by stop(), read by the thread; release/acquire
  std::thread thread_;
};

}  // namespace millrace
