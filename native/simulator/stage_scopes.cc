#include "simulator/stage_scopes.h"

namespace millrace {

StageScopes::StageScopes(const std::vector<SimulatedStage>& stages) : depth{0} {
  for (const SimulatedStage& stage : stages) {
    std::uint32_t scope = 0;
    for (const std::uint32_t from : stage.predecessors) {
      const std::uint32_t read = items_of[from] != 0 ? items_of[from] : of_stage[from];
      if (depth[read] > depth[scope]) scope = read;
    }
    of_stage.push_back(stage.gather ? of_stage[*stage.gather] : scope);
    items_of.push_back(stage.fan_out ? static_cast<std::uint32_t>(depth.size()) : 0);
    if (stage.fan_out) depth.push_back(depth[of_stage.back()] + 1);
  }
}

}  // namespace millrace
