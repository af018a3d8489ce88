#include "engine/links.h"

#include <algorithm>

namespace millrace {
namespace {

class Linker {
 public:
  Linker(const PipelineSpec& spec, const Scopes& scopes, Links& links)
      : spec_(spec), scopes_(scopes), links_(links) {}

  void link(std::uint32_t stage) {
    std::vector<std::uint32_t> before = awaited_by(spec_.stages[stage]);
    if (spec_.stages[stage].gather) before = gather(stage, std::move(before));
    for (const std::uint32_t from : before) connect(from, stage);
    links_.stages[stage].predecessors += static_cast<std::uint8_t>(before.size());
  }

 private:
  static std::vector<std::uint32_t> awaited_by(const StageSpec& stage) {
    std::vector<std::uint32_t> before;
    const auto depend = [&](const Source& source) {
      if (!source.from_request) before.push_back(source.stage);
    };
    for (const auto& candidates : stage.inputs) {
      std::for_each(candidates.begin(), candidates.end(), depend);
    }
    if (stage.condition) depend(stage.condition->source);
    std::sort(before.begin(), before.end());
    before.erase(std::unique(before.begin(), before.end()), before.end());
    return before;
  }

  // Takes care of the stages whose values are gathered; returns the others.
  std::vector<std::uint32_t> gather(std::uint32_t to, std::vector<std::uint32_t> before) {
    const std::uint32_t opener = *spec_.stages[to].gather;
    const std::uint32_t items = scopes_.items_of[opener];
    std::vector<Gathering>& gatherings = links_.scopes[items].gatherings;
    Gathering gathering{to, 0};
    const auto others = std::stable_partition(
        before.begin(), before.end(), [&](std::uint32_t from) {
          return from == opener || scopes_.of_stage[from] == items;
        });
    for (auto from = before.begin(); from != others; ++from) {
      if (*from == opener) continue;  // there as soon as the items are
      links_.stages[*from].gatherings.push_back(static_cast<std::uint32_t>(gatherings.size()));
      ++gathering.sources;
    }
    gatherings.push_back(gathering);
    ++links_.stages[to].predecessors;
    before.erase(before.begin(), others);
    return before;
  }

  void connect(std::uint32_t from, std::uint32_t to) {
    std::uint32_t scope = scopes_.of_stage[from];
    Passage* passage = &links_.stages[from];
    while (scope != scopes_.of_stage[to]) {
      scope = scopes_.step_down(scope, scopes_.of_stage[to]);
      passage = scopes_.items_of[from] == scope ? &links_.scopes[scope].opening
                                                : &relay(from, scope, passage->relays);
    }
    passage->successors.push_back(to);
  }

  Passage& relay(std::uint32_t stage, std::uint32_t scope, std::vector<std::uint32_t>& known) {
    for (const std::uint32_t id : known) {
      if (links_.relays[id].scope == scope) return links_.relays[id].onward;
    }
    const auto id = static_cast<std::uint32_t>(links_.relays.size());
    known.push_back(id);  // before the relay that holds the list may move
    links_.scopes[scope].relays.push_back(id);
    links_.relays.push_back({stage, scope, {}});
    return links_.relays.back().onward;
  }

  const PipelineSpec& spec_;
  const Scopes& scopes_;
  Links& links_;
};

}  // namespace

Links link_stages(const PipelineSpec& spec, const Scopes& scopes) {
  Links links;
  links.stages.resize(spec.stages.size());
  links.scopes.resize(scopes.all.size());
  Linker linker(spec, scopes, links);
  for (std::uint32_t stage = 0; stage < spec.stages.size(); ++stage) linker.link(stage);
  return links;
}

}  // namespace millrace
