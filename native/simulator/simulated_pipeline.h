// A pipeline as the simulator is told of it: which stages wait for which, and which way rows take.
// Unlike the engine it is not given values to decide by: for each request a path is drawn, which
// says what the conditions, and the fan-outs, of that request would have come to.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "batching/latency_table.h"

namespace millrace {

// In topological order: a stage only names stages before it.
struct SimulatedStage {
  std::vector<std::uint32_t> predecessors;
  bool fan_out = false;                 // what reads it runs once for each of its items
  std::optional<std::uint32_t> gather;  // the fan-out stage whose items come together here
};

// So many items one after the other that take the same path.
struct SimulatedItems {
  std::uint32_t opener = 0;  // the fan-out stage that makes them; kRequest: rows of the request
  std::uint32_t times = 1;
  std::uint32_t path = 0;  // index into SimulatedPipeline::paths, before this one

  static constexpr std::uint32_t kRequest = 0xffffffff;
};

struct SimulatedVisit {
  std::uint32_t stage = 0;
  std::uint32_t times = 1;  // rows; the visit ends when the last of them does
};

// What one row visits in its own scope, and the items it opens. A path of items names only stages
// that run once for each of them.
struct SimulatedPath {
  double share = 0;  // among those of requests; 0: of items only
  std::vector<SimulatedVisit> visits;
  std::vector<SimulatedItems> items;  // in order
};

// What threads share where there are more of them than cores.
struct SimulatedCores {
  std::uint32_t count = 0;  // 0: each thread has one of its own
  Nanos slice = 0;          // how long one keeps its core while others wait; above 0
};

struct SimulatedPipeline {
  std::vector<SimulatedStage> stages;
  std::vector<SimulatedPath> paths;
  Nanos request_overhead = 0;  // added to the latency of each request
  // How long a request keeps the event loop, which takes one after the other, before it enters.
  Nanos loop_overhead = 0;
  // What of it is done when the request is answered; looked at only where cores are shared.
  Nanos answer_overhead = 0;
  SimulatedCores cores;
  // How much slower batches are when so many threads are busy: [0] is one thread, at least 1 and
  // not descending; beyond the end in proportion to the threads. Empty: never. Where cores are
  // shared only those that have one are busy.
  std::vector<double> slowdown;
  // The same for each device that replicas share, by how many of them are busy there.
  std::vector<std::vector<double>> device_slowdowns;
};

// A replica that has had nothing to do for longer has gone to sleep: it looks for more for about as
// long. The next batch finds caches cold and the core slow.
inline constexpr Nanos kRest = kNanosPerMilli / 10;

// How one stage is run.
struct SimulatedService {
  LatencyTable latency;        // at least one point, the first of batch 1
  std::vector<double> spread;  // quantiles of service time over its mean, ascending, at shares 0,
                               // 1/n, ..., 1; empty: always the mean
  Nanos hop_overhead = 0;      // added to the time each batch keeps its replica
  Nanos wake_overhead = 0;     // the same, of batches whose replica has rested for kRest
  std::uint32_t threads = 1;   // cores a batch keeps busy; 0: none
  std::uint32_t device = 0;    // what it runs on: 0 is the CPU, n device_slowdowns[n - 1], of which
                               // a batch takes as many shares as it has threads
  std::size_t replicas = 1;    // as many as one likes: each costs nothing
  std::size_t max_batch = 1;
  Nanos max_delay = 0;
};

}  // namespace millrace
