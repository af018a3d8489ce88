// One run of a configuration over a trace: a discrete-event simulation whose replicas ask the same
// policy (batching/policy.h) what to do as those of the engine.
//
//   Traffic      the trace and the path drawn for each request; const, shared by many simulations
//   Simulation   replicas, queues and clock of one configuration; used by one thread
//
// What happens at one instant is seen by all decisions of that instant: first batches end and their
// rows move on, then requests arrive, then free replicas are given batches, stage by stage in
// order. Everything is decided by (time, kind, sequence), so a run is repeatable to the last bit.
//
// Requests enter once the event loop has had time for them. A batch keeps its replica for
// hop_overhead and its service time, both longer where threads contend, and for as long as its
// thread waits for a core, where they share cores. Replicas are alike: when there are to be fewer,
// whichever ends its batch first leaves.
//
// Not simulated: deadlines and what is shed for them, lanes of ragged rows, caches, failures.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/clock.h"
#include "simulator/simulated_pipeline.h"

namespace millrace {

// Arrivals ascend and are not negative. The path of a request depends on the seed and on its number
// alone, which is its place among the arrivals unless `numbers` says another, so that requests of a
// trace that was put in another order go the same ways.
std::shared_ptr<const class Traffic> make_traffic(SimulatedPipeline pipeline,
                                                  std::vector<Nanos> arrivals, std::uint64_t seed,
                                                  const std::vector<std::uint32_t>& numbers = {});

struct StageReport {
  std::uint64_t visits = 0;   // rows whose batch has ended
  std::uint64_t batches = 0;  // ended
  double utilization = 0;     // of all replicas, from the first arrival to now; 0 to 1
  Nanos queue_p99 = 0;
  std::size_t waiting = 0;  // rows, now
  std::size_t replicas = 0;
};

struct SimulationReport {
  std::uint64_t arrived = 0;
  std::uint64_t finished = 0;
  std::uint64_t late = 0;  // finished later than the limit, or not finished and sure to be
  // Of finished requests, by nearest rank.
  Nanos p50 = 0;
  Nanos p95 = 0;
  Nanos p99 = 0;
  Nanos max = 0;
  std::vector<StageReport> stages;
};

struct SimulationOptions {
  bool drawn = false;      // service times drawn from the spread instead of the mean
  std::uint64_t seed = 0;  // of those draws
  bool keep_queue_times = true;
};

class Simulation {
 public:
  // One service a stage.
  Simulation(std::shared_ptr<const Traffic> traffic, const std::vector<SimulatedService>& services,
             const SimulationOptions& options);
  ~Simulation();

  // Everything that happens up to `until`, inclusive; then it is `until`. False when nothing is
  // left to happen. Goes back never. kNever: to the end, and then it stays the moment of what
  // happened last, but what has not finished by then never will, and is late.
  bool advance(Nanos until);

  // To the end, or until more than `enough` requests are known to be later than `limit`, or
  // `cancelled`. How many are known to be late by then, at most enough + 1. Instead of advance(),
  // on a simulation that has not begun; latencies are not kept, so that report() afterwards knows
  // none.
  std::uint64_t count_late(Nanos limit, std::uint64_t enough, const std::atomic<bool>& cancelled);

  // To the end, or until `cancelled`. It is then when the last thing happened.
  void run_to_end(const std::atomic<bool>& cancelled);

  [[nodiscard]] Nanos now() const;

  // Rows of the largest batch that the stage has begun so far. As long as that is below its
  // max_batch, any other max_batch that is no smaller would have made no difference.
  [[nodiscard]] std::size_t largest_batch(std::size_t stage) const;

  // From now on; what follows from it at this instant happens with the next advance(). Fewer: those
  // that run finish their batch.
  void set_replicas(std::size_t stage, std::size_t replicas);
  void set_service(std::size_t stage, const SimulatedService& service);

  [[nodiscard]] SimulationReport report(Nanos limit) const;

  // Every batch started so far, in order; only where asked for before the first advance().
  struct Batch {
    std::uint32_t stage;
    std::uint32_t rows;
    Nanos start;
    Nanos end;
  };
  void record_batches();
  [[nodiscard]] std::span<const Batch> batches() const;

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace millrace
