// A replica: one native thread that serves one stage. It asks the batching policy what to do, takes
// that many rows, runs the model, stores what somebody reads, and sends the rows on.
//
// Rows that cannot be answered in time are shed, those behind them take their places, so that under
// overload batches are full of rows worth running.
//
// Where its runner has slots, it keeps a batch in each (replica_flights.cc): one is copied while
// the other is computed.
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
#include "engine/run_watch.h"
#include "engine/stats.h"
#include "model/model.h"
#include "queue/event_count.h"
#include "queue/spinner.h"

namespace millrace {

// What a replica works with; everything outlives it. Its limits are its own: a replica with others
// is another replica.
struct ReplicaContext {
  const StageSpec& spec;
  const Layout& layout;
  std::uint32_t stage;
  Router& router;
  const Clock& clock;
  ReplicaStats& stats;
  RunWatch& watch;
  std::size_t max_batch;
  Nanos max_delay;
  std::uint32_t number;   // of the replica, and
  std::uint32_t threads;  // those of its model: for those who are told of its runs
};

class Replica {
 public:
  Replica(const ReplicaContext& context, std::unique_ptr<Runner> runner);

  // Once: makes its thread, which waits for open(). Fails where the system has no thread left.
  Status start();

  // After start(): serves from now on. One thread.
  void open();

  ~Replica();  // stops and joins

  Replica(const Replica&) = delete;
  Replica& operator=(const Replica&) = delete;

  // Asks it to end after the batch in progress. Any thread; does not wait.
  void stop();

  // After stop(): waits for the batch in progress. One thread.
  void join();

  // Makes the batch in progress, and every later one, fail soon. Any thread.
  void terminate() { runner_->terminate(); }

  // To be run before start() only; what any thread may ask, at any time.
  Runner& runner() { return *runner_; }

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

  // A batch in a slot of the runner: what the replica's members of these names hold of it is put
  // aside here while others are looked after.
  struct Flight final : RunListener {
    explicit Flight(Replica& one) : replica(one) {}
    void run_ended() noexcept override;

    Replica& replica;
    std::size_t seat = StageGauge::kNoSeat;
    bool begun = false;
    Nanos began = 0;
    std::vector<Claimed> claims;
    std::vector<ClaimedRow> live;
    VisitRun run;
    bool recorded = false;
    std::atomic<bool> ended{false};  // released by run_ended(), acquired by the replica's thread
  };

  void serve();
  void idle();
  void park();
  LaneDecision choose_lane(Nanos now);
  void tell_limits(Nanos now);
  void take(const LaneDecision& next, Nanos now);
  void claim(const LaneDecision& next, Nanos now);
  std::size_t claim_from(std::size_t lane, std::uint8_t priority, std::size_t most);
  void replace_dropped(const LaneDecision& next);
  void admit(const Claimed& claimed);
  void keep(const ClaimedRow& row);
  void judge_again();
  void leave(const ClaimedRow& row);
  void skip(const ClaimedRow& row);
  void skip_all(std::span<const ClaimedRow> rows);
  void shed(const ClaimedRow& row);
  bool drop(const ClaimedRow& row);
  void release_claims();
  void run_rows(std::span<ClaimedRow> rows);
  Status store(std::span<const ClaimedRow> rows);
  void count_inputs();
  void end_run(std::span<ClaimedRow> rows, Nanos began, const Status& status, bool interrupted);
  void shrink(std::size_t rows);
  void run_again(std::span<ClaimedRow> rows);
  void split(std::span<ClaimedRow> rows, const Error& error);
  void fail_row(const ClaimedRow& row, const Error& error);
  bool begin_unwanted(std::span<const ClaimedRow> rows);
  void serve_rows(std::span<const ClaimedRow> rows);
  void send_on();

  // Where the runner has slots (replica_flights.cc).
  void serve_flights();
  void begin_flight(const LaneDecision& next, Nanos now);
  void finish_flight(Flight& flight);
  void set_aside(Flight& flight);
  [[nodiscard]] bool finish_ended();
  [[nodiscard]] bool any_ended() const;
  void rest(const LaneDecision& next);
  void await_end();

  // For requests that record their visits (replica_visits.cc).
  void begin_visits(std::span<const ClaimedRow> rows, Nanos began);
  void end_visits(std::span<const ClaimedRow> rows, VisitState state, const VisitRun& run);
  void end_visit(const ClaimedRow& row, VisitState state, const VisitRun& run = {});
  [[nodiscard]] std::uint32_t visit_of(const ClaimedRow& row) const;

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
  BatchOutputs outputs_;
  Spinner spinner_;
  RunResult result_;
  std::vector<QueueView> views_;  // of the lanes, as choose_lane() saw them last
  std::vector<Claimed> claims_;
  std::vector<ClaimedRow> live_;
  std::vector<ClaimedRow> doubtful_;              // too late for a batch of wanted_ rows
  std::vector<Dropped> dropped_;                  // resolved as not run
  std::vector<ClaimedRow> served_;                // resolved as run
  bool recorded_ = false;                         // some row claimed has a visit to be written down
  VisitRun run_;                                  // the last of recorded rows
  std::vector<std::unique_ptr<Flight>> flights_;  // one a slot; none where there is but one
  std::size_t in_flight_ = 0;
  Nanos flying_since_ = 0;             // where there are any
  EventCount landed_;                  // where the thread sleeps while every slot is taken
  std::atomic<bool> stopping_{false};  // written by stop(), read by the thread; release/acquire
  std::atomic<bool> opened_{false};    // written by open() and stop(), read by the thread; the same
  std::thread thread_;
};

}  // namespace millrace
