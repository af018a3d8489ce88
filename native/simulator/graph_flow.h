// Moves the rows of any paths (path_graph.h). While a request is inside it has a block of counters,
// one a visit, and a row is known by the place of its visit's counter. Blocks are used again by
// requests on the same path.
//
//   counter of a visit:   visits still waited for, then rows that have not ended
#pragma once

#include <cstdint>
#include <vector>

#include "simulator/outcomes.h"
#include "simulator/stage_lines.h"
#include "simulator/traffic.h"

namespace millrace {

class GraphFlow {
 public:
  GraphFlow(const Traffic& traffic, StageLines& lines, Outcomes& outcomes)
      : traffic_(traffic), lines_(lines), outcomes_(outcomes), free_(traffic.graphs().size()) {}

  void arrive(std::uint32_t request, Nanos now);
  void row_ended(std::uint32_t row, Nanos now);

 private:
  struct Block {
    std::uint32_t path = 0;
    std::uint32_t first = 0;  // of its counters
    std::uint32_t request = 0;
    std::uint32_t left = 0;  // visits with rows that have not ended
  };

  std::uint32_t take_block(std::uint32_t path);
  void start(const Block& block, std::uint32_t visit, Nanos now);
  void release_successors(const Block& block, const PathGraph& graph, std::uint32_t visit);

  const Traffic& traffic_;
  StageLines& lines_;
  Outcomes& outcomes_;
  std::vector<Block> blocks_;
  std::vector<std::vector<std::uint32_t>> free_;  // blocks, by path
  std::vector<std::uint32_t> counters_;
  std::vector<std::uint32_t> block_of_;  // by counter
  std::vector<std::uint32_t> ready_;     // scratch: visits that wait for nothing more
};

}  // namespace millrace
