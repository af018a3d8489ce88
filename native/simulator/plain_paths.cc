#include "simulator/plain_paths.h"

#include <bit>

namespace millrace {
namespace {

constexpr std::uint64_t bit(std::uint32_t stage) {
  return std::uint64_t{1} << stage;
}

bool is_plain(const PathGraph& graph) {
  if (graph.passes) return false;
  for (std::size_t id = 0; id < graph.visits.size(); ++id) {
    if (graph.visits[id].rows != 1) return false;
    if (id > 0 && graph.visits[id].stage == graph.visits[id - 1].stage) return false;
  }
  return true;
}

// Of a path whose steps have everything they wait for in `before`.
class Reduction {
 public:
  Reduction(const PathGraph& graph, PlainPaths::Step* steps) : graph_(graph), steps_(steps) {}

  // A stage that waits for b, and for a that b waits for, need only wait for b.
  void reduce() {
    std::vector<std::uint64_t> upstream(PlainPaths::kMostStages, 0);
    for (const PathGraph::Visit& visit : graph_.visits) {
      std::uint64_t& all = upstream[visit.stage];
      const std::uint64_t before = steps_[visit.stage].before;
      for (std::uint64_t left = before; left != 0; left &= left - 1) {
        all |= upstream[static_cast<std::size_t>(std::countr_zero(left))];
      }
      steps_[visit.stage].before &= ~all;
      all |= before;
    }
  }

  // True where they are a chain.
  bool link() {
    bool chain = true;
    for (const PathGraph::Visit& visit : graph_.visits) {
      const std::uint64_t before = steps_[visit.stage].before;
      for (std::uint64_t left = before; left != 0; left &= left - 1) {
        PlainPaths::Step& from = steps_[std::countr_zero(left)];
        from.after |= bit(visit.stage);
        from.next = static_cast<std::uint8_t>(visit.stage);
        chain = chain && std::has_single_bit(from.after);
      }
      chain = chain && std::popcount(before) <= 1;
    }
    return chain && graph_.entries.size() <= 1;
  }

 private:
  const PathGraph& graph_;
  PlainPaths::Step* const steps_;
};

void add_path(PlainPaths& paths, const PathGraph& graph) {
  PlainPaths::Step* const steps = &paths.steps[paths.visited.size() * paths.stages];
  std::uint64_t visited = 0;
  std::uint64_t entries = 0;
  for (const PathGraph::Visit& visit : graph.visits) {
    visited |= bit(visit.stage);
    for (std::uint32_t i = visit.first; i < visit.last; ++i) {
      steps[graph.visits[graph.successors[i]].stage].before |= bit(visit.stage);
    }
  }
  for (const std::uint32_t id : graph.entries) entries |= bit(graph.visits[id].stage);
  Reduction reduction(graph, steps);
  reduction.reduce();
  paths.chains = reduction.link() && paths.chains;
  paths.visited.push_back(visited);
  paths.entries.push_back(entries);
}

}  // namespace

std::optional<PlainPaths> make_plain_paths(std::span<const PathGraph> graphs, std::size_t stages) {
  PlainPaths paths;
  if (stages > PlainPaths::kMostStages) return std::nullopt;
  for (const PathGraph& graph : graphs) {
    if (!is_plain(graph)) return std::nullopt;
  }
  paths.stages = stages;
  paths.steps.resize(graphs.size() * stages);
  for (const PathGraph& graph : graphs) add_path(paths, graph);
  return paths;
}

}  // namespace millrace
