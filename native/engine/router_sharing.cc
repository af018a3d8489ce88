// The part of the router that serves stages whose results are shared (result_cache.h).
#include "engine/router.h"

namespace millrace {

void Router::start_shared(RowRef row, std::uint32_t stage, Settler& settler) {
  using Kind = ResultCache::Answer::Kind;
  const KeyView key = settler.keys.write({spec_.stages[stage], layout_.stages[stage], layout_},
                                         *row.request, row.row);
  // Before it is asked: a row that is attached may be resolved at once.
  row.visit = row.request->add_visit(row.row, stage, settler.now());
  const ResultCache::Answer found = cache(stage)->ask(key, row, settler.now());
  switch (found.kind) {
    case Kind::kHit:
      row.request->end_visit(row.visit, settler.now(), VisitState::kHit);
      answer(row, stage, *found.result, settler);
      break;
    case Kind::kAttached:
      break;  // another thread may have resolved it by now
    case Kind::kLeads:
      lead(row, stage, settler);
      break;
  }
}

// Queues a row that leads, or, where there is no room for it, tries those that follow it. Each that
// fails is resolved only after it was succeeded: then nobody knows its address any more.
void Router::lead(RowRef row, std::uint32_t stage, Settler& settler) {
  for (std::optional<RowRef> leader = row; leader;) {
    if (enqueue(*leader, stage, settler)) return;
    const std::optional<RowRef> heir = succeed(*leader, stage, settler);
    advance(*leader->request, leader->row, stage, false, settler);
    leader = heir;
  }
}

std::optional<RowRef> Router::succeed(RowRef leader, std::uint32_t stage, Settler& settler) {
  const Succession succession = cache(stage)->succeed(leader);
  for (const RowRef& gone : succession.gone) {
    gone.request->end_visit(gone.visit, settler.now(), VisitState::kSkipped);
    advance(*gone.request, gone.row, stage, false, settler);
  }
  return succession.heir;
}

// What becomes of the rows that wait for this one, which is about to be resolved.
void Router::share(RowRef leader, std::uint32_t stage, bool ran, Settler& settler) {
  if (!ran) {
    const std::optional<RowRef> heir = succeed(leader, stage, settler);
    if (heir) lead(*heir, stage, settler);
    return;
  }
  const SharedResult result =
      take_result(layout_, layout_.stages[stage], *leader.request, leader.row);
  for (const RowRef& row : cache(stage)->complete(leader, result, settler.now())) {
    row.request->end_visit(row.visit, settler.now(), VisitState::kShared);
    answer(row, stage, *result, settler);
  }
}

void Router::share_failure(RowRef failed, std::uint32_t stage, const Error& error,
                           Settler& settler) {
  if (cache(stage) == nullptr) return;
  for (const RowRef& row : cache(stage)->fail(failed)) {
    row.request->end_visit(row.visit, settler.now(), VisitState::kFailed);
    settler.fail(*row.request, Outcome::kFailed, stage, error.message, error.detail);
    advance(*row.request, row.row, stage, false, settler);
  }
}

void Router::answer(RowRef row, std::uint32_t stage, const StageResult& result, Settler& settler) {
  const bool wanted = !row.request->settled();
  if (wanted) give_result(result, layout_, layout_.stages[stage], *row.request, row.row);
  advance(*row.request, row.row, stage, wanted, settler);
}

}  // namespace millrace
