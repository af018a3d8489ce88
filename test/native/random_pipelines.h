// Random pipelines, paths and services, as wild as the simulator's contract allows.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "reference_simulation.h"
#include "trial.h"

namespace millrace::reference {

// In multiples of `grid` nanoseconds, so that much happens at one instant where the grid is coarse.
struct Grid {
  Nanos step = 10;
  int most = 12;
};

class RandomPipeline {
 public:
  explicit RandomPipeline(std::uint64_t seed, const Grid& grid) : random_(seed), grid_(grid) {}

  SimulatedPipeline pipeline(bool items) {
    SimulatedPipeline made;
    const int stages = 1 + random_.below(9);
    for (int i = 0; i < stages; ++i) made.stages.push_back(stage(made.stages, items));
    const Places places(made.stages);
    const int roots = 1 + random_.below(3);
    for (int i = 0; i < roots; ++i) {
      SimulatedPath root = path(made, places, {});
      if (items && random_.one_in(4)) {
        const std::uint32_t rows = add(made, path(made, places, {}));
        if (random_.one_in(2)) root = {};
        root.items.push_back(
            {SimulatedItems::kRequest, static_cast<std::uint32_t>(random_.below(4)), rows});
      }
      root.share = 1 + random_.below(5);
      add(made, root);
    }
    if (random_.one_in(3)) made.request_overhead = span();
    if (random_.one_in(3)) made.loop_overhead = span();
    return made;
  }

  SimulatedService service() {
    SimulatedService made;
    std::vector<LatencyTable::Point> points{{1, span()}};
    for (std::size_t batch = 2; batch < 8; batch += 2) {
      if (random_.one_in(2)) points.push_back({batch, span()});
    }
    made.latency = LatencyTable(std::move(points));
    made.threads = static_cast<std::uint32_t>(random_.below(3));
    made.replicas = static_cast<std::size_t>(random_.one_in(12) ? 0 : 1 + random_.below(3));
    made.max_batch = static_cast<std::size_t>(1 + random_.below(6));
    if (random_.one_in(3)) made.max_delay = span();
    if (random_.one_in(3)) made.hop_overhead = span();
    if (random_.one_in(3)) made.wake_overhead = span();
    return made;
  }

  std::vector<SimulatedService> services(std::size_t stages) {
    std::vector<SimulatedService> made;
    for (std::size_t i = 0; i < stages; ++i) made.push_back(service());
    return made;
  }

  std::vector<Nanos> arrivals() {
    std::vector<Nanos> made(static_cast<std::size_t>(random_.below(60)));
    Nanos at = span();
    for (Nanos& one : made) {
      one = at;
      at += span() / (random_.one_in(2) ? 1 : 4) / grid_.step * grid_.step;
    }
    return made;
  }

  Nanos span() { return grid_.step * random_.below(grid_.most); }

  det::Random& random() { return random_; }

 private:
  using Stages = std::vector<SimulatedStage>;

  static bool is_prefix(const Chain& of, const Chain& whole) {
    return of.size() <= whole.size() && std::equal(of.begin(), of.end(), whole.begin());
  }

  SimulatedStage stage(const Stages& before, bool items) {
    const Places places(before);
    SimulatedStage made;
    if (items && random_.one_in(3)) made = gathering(before, places);
    if (!made.gather) {
      Chain deepest;
      if (!before.empty() && !random_.one_in(3)) {
        deepest =
            places.values[static_cast<std::size_t>(random_.below(static_cast<int>(before.size())))];
      }
      read(made, places, deepest);
    }
    const std::size_t depth =
        made.gather ? places.runs[*made.gather].size() : depth_of(made, places);
    made.fan_out = items && depth < 2 && random_.one_in(2);
    return made;
  }

  static std::size_t depth_of(const SimulatedStage& stage, const Places& places) {
    std::size_t depth = 0;
    for (const std::uint32_t from : stage.predecessors) {
      depth = std::max(depth, places.values[from].size());
    }
    return depth;
  }

  // Some of the stages whose values a row in this scope sees; one at least whose live there.
  void read(SimulatedStage& stage, const Places& places, const Chain& scope) {
    bool lives_there = scope.empty();
    for (auto from = static_cast<std::uint32_t>(places.values.size()); from-- > 0;) {
      const bool needed = !lives_there && places.values[from] == scope;
      if (!needed && !(is_prefix(places.values[from], scope) && random_.one_in(2))) continue;
      lives_there = lives_there || places.values[from] == scope;
      stage.predecessors.push_back(from);
    }
  }

  SimulatedStage gathering(const Stages& before, const Places& places) {
    SimulatedStage made;
    std::vector<std::uint32_t> openers;
    for (std::uint32_t i = 0; i < before.size(); ++i) {
      if (before[i].fan_out) openers.push_back(i);
    }
    if (openers.empty()) return made;
    const std::uint32_t opener =
        openers[static_cast<std::size_t>(random_.below(static_cast<int>(openers.size())))];
    made.gather = opener;
    for (std::uint32_t from = 0; from < before.size(); ++from) {
      if (places.values[from] == places.values[opener] && random_.one_in(2)) {
        made.predecessors.push_back(from);
      }
    }
    if (made.predecessors.empty()) made.predecessors.push_back(opener);
    read(made, places, places.runs[opener]);
    return made;
  }

  static std::uint32_t add(SimulatedPipeline& pipeline, SimulatedPath path) {
    pipeline.paths.push_back(std::move(path));
    return static_cast<std::uint32_t>(pipeline.paths.size() - 1);
  }

  SimulatedPath path(SimulatedPipeline& pipeline, const Places& places, const Chain& scope) {
    SimulatedPath made;
    for (std::uint32_t stage = 0; stage < pipeline.stages.size(); ++stage) {
      if (places.runs[stage] != scope || random_.one_in(4)) continue;
      const auto times = static_cast<std::uint32_t>(random_.one_in(8) ? 1 + random_.below(3) : 1);
      made.visits.push_back({stage, times});
      if (!pipeline.stages[stage].fan_out) continue;
      for (int groups = random_.below(3); groups > 0; --groups) {
        const int most = scope.empty() && random_.one_in(4) ? 12 : 4;
        const auto count = static_cast<std::uint32_t>(random_.below(most));
        made.items.push_back(
            {stage, count, add(pipeline, path(pipeline, places, places.values[stage]))});
      }
    }
    return made;
  }

  det::Random random_;
  const Grid grid_;
};

}  // namespace millrace::reference
