#include "batching/lanes.h"

#include <algorithm>

namespace millrace {
namespace {

using Action = Decision::Action;

// Smaller is served first.
struct Rank {
  Nanos served_as;
  Nanos enqueued;

  // clang-tidy 14 takes the zero that this compares with for a pointer.
  friend auto operator<=>(const Rank&, const Rank&) = default;  // NOLINT(modernize-use-nullptr)
};

Rank rank_of(const QueueView& view, const Decision& decision, const BatchingLimits& limits) {
  const std::uint8_t first = decision.order[0];
  return {served_as(view, first, limits.ageing), view.classes[first].oldest_enqueued};
}

}  // namespace

LaneDecision choose(std::span<const QueueView> lanes, const BatchingLimits& limits) {
  LaneDecision chosen;
  Rank best{};
  for (std::size_t i = 0; i < lanes.size(); ++i) {
    const Decision decision = decide(lanes[i], limits);
    const Action so_far = chosen.decision.action;
    if (decision.action == Action::kTake) {
      const Rank rank = rank_of(lanes[i], decision, limits);
      if (so_far == Action::kTake && best <= rank) continue;
      best = rank;
      chosen = {i, decision};
    } else if (decision.action == Action::kWait && so_far != Action::kTake) {
      chosen.decision.action = Action::kWait;
      chosen.decision.wait_until = std::min(chosen.decision.wait_until, decision.wait_until);
    }
  }
  return chosen;
}

}  // namespace millrace
