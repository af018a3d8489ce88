#include "engine/outlook.h"

#include <algorithm>

#include "engine/router.h"

namespace millrace {
namespace {

constexpr Nanos kLooksAgainAfter = kNanosPerMilli / 4;

// Whether the stage runs once for each item of a fan-out, of which there may be none.
std::vector<bool> per_item(const PipelineSpec& spec) {
  std::vector<bool> found(spec.stages.size(), false);
  for (std::size_t s = 0; s < spec.stages.size(); ++s) {
    if (spec.stages[s].gather) continue;
    for (const auto& candidates : spec.stages[s].inputs) {
      found[s] =
          found[s] || std::any_of(candidates.begin(), candidates.end(), [&](const Source& c) {
            return !c.from_request && (spec.stages[c.stage].fan_out || found[c.stage]);
          });
    }
  }
  return found;
}

// Whether the stage runs for every row for which the stages marked in `ran` did.
bool is_certain(const StageSpec& stage, const std::vector<bool>& ran) {
  if (stage.condition) return false;
  return std::all_of(stage.inputs.begin(), stage.inputs.end(), [&](const auto& candidates) {
    return std::any_of(candidates.begin(), candidates.end(),
                       [&](const Source& c) { return c.from_request || ran[c.stage]; });
  });
}

bool waits_for(const StageSpec& stage, std::size_t other) {
  const auto is_of_other = [&](const Source& c) { return !c.from_request && c.stage == other; };
  if (stage.condition && is_of_other(stage.condition->source)) return true;
  return std::any_of(stage.inputs.begin(), stage.inputs.end(), [&](const auto& candidates) {
    return std::any_of(candidates.begin(), candidates.end(), is_of_other);
  });
}

}  // namespace

CertainPaths certain_paths(const PipelineSpec& spec) {
  const std::size_t count = spec.stages.size();
  const std::vector<bool> items = per_item(spec);
  std::vector<bool> always(count, false);
  for (std::size_t s = 0; s < count; ++s) {
    always[s] = !items[s] && is_certain(spec.stages[s], always);
  }
  CertainPaths next(count);
  for (std::size_t s = 0; s < count; ++s) {
    std::vector<bool> ran = always;
    ran[s] = true;
    for (auto n = static_cast<std::uint32_t>(s + 1); n < count; ++n) {
      if (!waits_for(spec.stages[n], s)) continue;
      const bool same_rows = items[n] == items[s] && !spec.stages[s].fan_out;
      const bool gathers = spec.stages[n].gather.has_value();
      if ((same_rows || gathers) && is_certain(spec.stages[n], ran)) next[s].push_back(n);
    }
  }
  return next;
}

Outlook::Outlook(const Router& router)
    : router_(router), stages_(router.stages()), rest_(router.stages()) {}

void Outlook::count_waiting(std::size_t stage) {
  for (std::size_t i = 0; i < kPriorityClasses; ++i) {
    stages_[stage].waiting[i] = router_.queue(stage).waiting(i);
  }
}

void Outlook::look(Nanos now) {
  if (looked_ && now - looked_at_ < kLooksAgainAfter) return;
  for (std::size_t s = 0; s < stages_.size(); ++s) {
    router_.gauge(s).read(now, stages_[s]);
    count_waiting(s);
  }
  look_ahead(stages_, router_.certain_paths(), rest_);
  looked_at_ = now;
  looked_ = true;
}

Prospect Outlook::prospect(const Arrival& arrival, std::size_t stage, Nanos now) {
  look(now);
  count_waiting(stage);
  return prospect_of(arrival, stages_[stage], rest_[stage][arrival.priority]);
}

Prospect Outlook::at_the_door(const Arrival& arrival, Nanos now) {
  Prospect least;
  for (const std::uint32_t stage : router_.layout().entry_stages) {
    const Prospect one = prospect(arrival, stage, now);
    if (one.expected.total() > least.expected.total()) least.expected = one.expected;
    least.alone = std::max(least.alone, one.alone);
  }
  return least;
}

std::optional<Nanos> Outlook::time_to_room(std::size_t rows, Nanos now) {
  look(now);
  return millrace::time_to_room(stages_, rows);
}

}  // namespace millrace
