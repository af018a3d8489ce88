// Stage visits that one simulation gets through in a second of processor time: a chain of three
// stages and a million Poisson arrivals, at a mean batch of about 1 and of about 3.
//
//   simulator_bench [arrivals]
#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <utility>
#include <vector>

#include "simulator/counter_random.h"
#include "simulator/simulation.h"

namespace {

using namespace millrace;

constexpr double kPerSecond = 1000;

std::vector<Nanos> poisson(std::size_t count) {
  std::vector<Nanos> arrivals(count);
  double at = 0;
  for (std::size_t i = 0; i < count; ++i) {
    at -= std::log(1 - random_share(1, i)) / kPerSecond * 1e9;
    arrivals[i] = static_cast<Nanos>(at);
  }
  return arrivals;
}

SimulatedPipeline chain(std::size_t stages) {
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

// Nearly loaded at batches of one, or overloaded but for batches.
SimulatedService service(double service_ms, std::size_t replicas, std::size_t max_batch) {
  const auto one = static_cast<Nanos>(service_ms * 1e6);
  SimulatedService all;
  all.latency = LatencyTable({{1, one}, {32, one * 8}});
  all.replicas = replicas;
  all.max_batch = max_batch;
  return all;
}

struct Trial {
  const char* name;
  std::vector<SimulatedService> services;
  SimulatedPipeline pipeline;
  bool counts = false;
};

void run(const Trial& trial, const std::vector<Nanos>& arrivals) {
  const auto traffic = make_traffic(trial.pipeline, arrivals, 1);
  double best = 0;
  double mean_batch = 0;
  for (int i = 0; i < 5; ++i) {
    Simulation simulation(traffic, trial.services, {});
    const std::clock_t start = std::clock();
    if (trial.counts) {
      const std::atomic<bool> cancelled{false};
      simulation.count_late(kNever - 1, ~std::uint64_t{0}, cancelled);
    } else {
      simulation.advance(kNever);
    }
    const double took = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
    std::uint64_t visits = 0;
    std::uint64_t batches = 0;
    for (const StageReport& stage : simulation.report(0).stages) {
      visits += stage.visits;
      batches += stage.batches;
    }
    best = std::max(best, static_cast<double>(visits) / took);
    mean_batch = static_cast<double>(visits) / static_cast<double>(batches);
  }
  std::printf("%-34s mean batch %5.2f   %6.2f M visits/s\n", trial.name, mean_batch, best / 1e6);
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t count = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1'000'000;
  const std::vector<Nanos> arrivals = poisson(count);
  const std::vector<SimulatedService> ones(3, service(3.5, 5, 8));
  const std::vector<SimulatedService> threes(3, service(6.5, 3, 16));
  SimulatedPipeline contended = chain(3);
  contended.slowdown = {1, 1, 1, 1, 1, 1, 1, 1};
  SimulatedPipeline items = chain(3);
  items.stages[0].fan_out = true;
  items.paths = {{0, {{1, 1}, {2, 1}}, {}}, {1, {{0, 1}}, {{0, 1, 0}}}};
  SimulatedPipeline diamond = chain(3);
  diamond.stages[1].predecessors = {};
  diamond.stages[2].predecessors = {0, 1};
  const SimulatedPipeline plain = chain(3);
  run({"chain of 3", ones, plain}, arrivals);
  run({"chain of 3", threes, plain}, arrivals);
  run({"chain of 3, counting late", ones, plain, true}, arrivals);
  run({"chain of 3, counting late", threes, plain, true}, arrivals);
  run({"chain of 3, contention", ones, contended}, arrivals);
  run({"join of 2", ones, diamond}, arrivals);
  run({"1 item each", ones, items}, arrivals);
}
