#include "simulator/graph_flow.h"

#include <algorithm>

namespace millrace {

std::uint32_t GraphFlow::take_block(std::uint32_t path) {
  if (!free_[path].empty()) {
    const std::uint32_t block = free_[path].back();
    free_[path].pop_back();
    return block;
  }
  const auto block = static_cast<std::uint32_t>(blocks_.size());
  blocks_.push_back({path, static_cast<std::uint32_t>(counters_.size()), 0, 0});
  counters_.resize(counters_.size() + traffic_.graphs()[path].visits.size());
  block_of_.resize(counters_.size(), block);
  return block;
}

void GraphFlow::arrive(std::uint32_t request, Nanos now) {
  const std::uint32_t path = traffic_.path(request);
  const PathGraph& graph = traffic_.graphs()[path];
  if (graph.ends == 0) return outcomes_.finish(request, now);
  Block& block = blocks_[take_block(path)];
  block.request = request;
  block.left = graph.ends;
  for (std::size_t i = 0; i < graph.visits.size(); ++i) {
    counters_[block.first + i] = graph.visits[i].predecessors;
  }
  for (const std::uint32_t visit : graph.entries) start(block, visit, now);
}

// Not one without rows: those wait for something.
void GraphFlow::start(const Block& block, std::uint32_t visit, Nanos now) {
  const PathGraph::Visit& one = traffic_.graphs()[block.path].visits[visit];
  const std::uint32_t row = block.first + visit;
  counters_[row] = one.rows;
  for (std::uint32_t i = 0; i < one.rows; ++i) lines_.push(one.stage, row, now);
}

void GraphFlow::row_ended(std::uint32_t row, Nanos now) {
  if (--counters_[row] > 0) return;
  const std::uint32_t number = block_of_[row];
  Block& block = blocks_[number];
  const PathGraph& graph = traffic_.graphs()[block.path];
  release_successors(block, graph, row - block.first);
  if (graph.passes) std::sort(ready_.begin(), ready_.end());
  for (const std::uint32_t visit : ready_) start(block, visit, now);
  ready_.clear();
  if (--block.left > 0) return;
  outcomes_.finish(block.request, now);
  free_[block.path].push_back(number);
}

void GraphFlow::release_successors(const Block& block, const PathGraph& graph,
                                   std::uint32_t visit) {
  const PathGraph::Visit& over = graph.visits[visit];
  for (std::uint32_t i = over.first; i < over.last; ++i) {
    const std::uint32_t next = graph.successors[i];
    if (--counters_[block.first + next] > 0) continue;
    if (graph.visits[next].rows > 0) {
      ready_.push_back(next);
    } else {
      release_successors(block, graph, next);
    }
  }
}

}  // namespace millrace
