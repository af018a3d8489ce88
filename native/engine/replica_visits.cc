// The part of a replica that writes down what rows go through, where their request asks for it
// (visits.h). Nothing here is done for a batch of others, but for the look at recorded_.
#include "engine/replica.h"

namespace millrace {

// The slot is the replica's until its claims are released.
std::uint32_t Replica::visit_of(const ClaimedRow& row) const {
  return queue_.lane(row.lane).ring(row.priority).at(row.position).visit;
}

void Replica::begin_visits(std::span<const ClaimedRow> rows, Nanos began) {
  run_ = {began, context_.router.next_batch(), static_cast<std::uint32_t>(rows.size()),
          context_.number, context_.threads};
  for (const ClaimedRow& row : rows) {
    const std::uint32_t visit = visit_of(row);
    if (visit != 0) row.request->visits->begin(visit, began);
  }
}

void Replica::end_visits(std::span<const ClaimedRow> rows, VisitState state, const VisitRun& run) {
  if (!recorded_) return;
  for (const ClaimedRow& row : rows) end_visit(row, state, run);
}

void Replica::end_visit(const ClaimedRow& row, VisitState state, const VisitRun& run) {
  if (!recorded_) return;
  const std::uint32_t visit = visit_of(row);
  if (visit != 0) row.request->visits->end(visit, settler_.now(), state, run);
}

}  // namespace millrace
