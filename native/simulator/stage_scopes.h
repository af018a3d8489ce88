// Which rows each stage runs for: those of the request (scope 0), or the items of a fan-out stage.
// The rule is the engine's (engine/scopes.h): the deepest scope a stage reads from; one that
// gathers runs where its fan-out stage does.
#pragma once

#include <cstdint>
#include <vector>

#include "simulator/simulated_pipeline.h"

namespace millrace {

struct StageScopes {
  explicit StageScopes(const std::vector<SimulatedStage>& stages);

  std::vector<std::uint32_t> of_stage;  // where it runs
  std::vector<std::uint32_t> items_of;  // the scope it opens; 0 for none
  std::vector<std::uint32_t> depth;     // of a scope
};

}  // namespace millrace
