#include "engine/scopes.h"

#include <algorithm>

namespace millrace {

Scopes::Scopes(const PipelineSpec& spec) {
  for (std::uint32_t stage = 0; stage < spec.stages.size(); ++stage) {
    of_stage.push_back(place(spec.stages[stage]));
    items_of.push_back(0);
    if (spec.stages[stage].fan_out) open(stage);
  }
}

std::uint32_t Scopes::of(const Source& source) const {
  if (source.from_request) return 0;
  const std::uint32_t items = items_of[source.stage];
  return items != 0 ? items : of_stage[source.stage];
}

bool Scopes::gathers(const StageSpec& stage, const std::vector<Source>& candidates) const {
  if (!stage.gather) return false;
  return std::any_of(candidates.begin(), candidates.end(), [&](const Source& source) {
    return of(source) == items_of[*stage.gather];
  });
}

std::uint32_t Scopes::step_down(std::uint32_t outer, std::uint32_t inner) const {
  while (all[inner].parent != outer) inner = all[inner].parent;
  return inner;
}

std::uint32_t Scopes::place(const StageSpec& stage) const {
  if (stage.gather) return of_stage[*stage.gather];
  std::uint32_t deepest = 0;
  const auto reads = [&](const Source& source) {
    const std::uint32_t scope = of(source);
    if (all[scope].depth > all[deepest].depth) deepest = scope;
  };
  for (const auto& candidates : stage.inputs) {
    std::for_each(candidates.begin(), candidates.end(), reads);
  }
  if (stage.condition) reads(stage.condition->source);
  return deepest;
}

void Scopes::open(std::uint32_t stage) {
  Scope scope;
  scope.parent = of_stage[stage];
  scope.opener = stage;
  scope.depth = all[scope.parent].depth + 1;
  scope.slot = all[scope.parent].children++;
  items_of[stage] = static_cast<std::uint32_t>(all.size());
  all.push_back(scope);
}

}  // namespace millrace
