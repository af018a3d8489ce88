// Small pipelines to simulate, and what tests ask of a run.
#pragma once

#include <cmath>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "simulator/counter_random.h"
#include "simulator/simulation.h"

namespace millrace {

// Each stage reads the one before; every request visits all.
inline SimulatedPipeline simulated_chain(std::size_t stages) {
  SimulatedPipeline pipeline;
  SimulatedPath path{1, {}, {}};
  for (std::uint32_t stage = 0; stage < stages; ++stage) {
    pipeline.stages.emplace_back();
    if (stage > 0) pipeline.stages.back().predecessors = {stage - 1};
    path.visits.push_back({stage, 1});
  }
  pipeline.paths = {path};
  return pipeline;
}

inline SimulatedService simulated_service(std::vector<LatencyTable::Point> points,
                                          std::size_t replicas = 1, std::size_t max_batch = 1,
                                          Nanos max_delay = 0) {
  SimulatedService service;
  service.latency = LatencyTable(std::move(points));
  service.replicas = replicas;
  service.max_batch = max_batch;
  service.max_delay = max_delay;
  return service;
}

// Exponential gaps.
inline std::vector<Nanos> poisson_arrivals(std::size_t count, double mean_gap_ns,
                                           std::uint64_t seed) {
  std::vector<Nanos> arrivals(count);
  double at = 0;
  for (std::size_t i = 0; i < count; ++i) {
    at -= std::log1p(-random_share(seed, i)) * mean_gap_ns;
    arrivals[i] = static_cast<Nanos>(at);
  }
  return arrivals;
}

// To the end, with every batch recorded.
inline std::unique_ptr<Simulation> simulated(const SimulatedPipeline& pipeline,
                                             std::vector<Nanos> arrivals,
                                             std::vector<SimulatedService> services,
                                             const SimulationOptions& options = {}) {
  auto simulation = std::make_unique<Simulation>(make_traffic(pipeline, std::move(arrivals), 1),
                                                 std::move(services), options);
  simulation->record_batches();
  simulation->advance(kNever);
  return simulation;
}

}  // namespace millrace
