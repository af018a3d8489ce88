// All that a request on one path goes through, items and their items included, as one graph: which
// visit waits for which. Worked out once a path, so that a simulation only counts down.
//
// The engine resolves a stage that does not run for a row when what it waits for is resolved. Here
// such stages are gone: who waits for one waits for what it waits for, and so on. Only where much
// comes together in one (a gather over many items that does not run) it stays, as a visit of no
// rows, so that the edges do not multiply.
#pragma once

#include <cstdint>
#include <vector>

#include "simulator/simulated_pipeline.h"
#include "simulator/stage_scopes.h"

namespace millrace {

struct PathGraph {
  // Numbered by stage, and within a stage by row: items in order, those of the first row first.
  struct Visit {
    std::uint32_t stage = 0;
    std::uint32_t rows = 0;  // 0: over as soon as it begins
    std::uint32_t predecessors = 0;
    std::uint32_t first = 0;  // of its successors
    std::uint32_t last = 0;   // behind them
  };

  std::vector<Visit> visits;
  std::vector<std::uint32_t> successors;  // ascending, each once
  std::vector<std::uint32_t> entries;     // that wait for nothing, ascending
  std::uint32_t ends = 0;                 // visits that have rows
  bool passes = false;                    // some have none
};

// Visits of stages that run in another scope, and items of stages that are not visited, are
// disregarded.
PathGraph make_path_graph(const SimulatedPipeline& pipeline, const StageScopes& scopes,
                          std::uint32_t path);

}  // namespace millrace
