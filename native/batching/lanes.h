// Which lane a free replica serves, where rows that may share a batch wait in lanes of their own:
//
//   choose(lanes, limits)   what waits in each -> take from this lane | wait until t | idle
//
// The lane whose first row comes first: by the class it is served as, ageing counted, then by age.
// So whatever waits long enough is the first of all, however rare its shape, and lanes take turns
// under a backlog, in which each of them fills. A lane that holds its batch back (max_delay) keeps
// no other from being served; when all of them do, the first to end its hold is waited for.
//
// Pure, like policy.h: no clock, no threads, no allocation, no state.
#pragma once

#include <cstddef>
#include <span>

#include "batching/policy.h"

namespace millrace {

struct LaneDecision {
  std::size_t lane = 0;  // read only with Action::kTake
  Decision decision;
};

// The views are of one moment.
LaneDecision choose(std::span<const QueueView> lanes, const BatchingLimits& limits);

// How many rows of another lane may join a batch of which `claimed` rows were found of those that
// `decision` is to take from `view`: they fill it, but make it no larger than a deadline allows.
std::size_t room_left(const QueueView& view, const Decision& decision, std::size_t claimed,
                      const BatchingLimits& limits);

}  // namespace millrace
