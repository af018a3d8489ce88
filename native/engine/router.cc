#include "engine/router.h"

#include <algorithm>

#include "engine/gather.h"
#include "engine/routing.h"

namespace millrace {
namespace {

// Twice the rows admitted: slots stay taken while their batch runs, and a slow replica must not
// block the ring for the others that overtake it.
std::size_t ring_capacity(const PipelineSpec& spec) {
  return 2 * spec.max_pending_rows;
}

std::string full_message(const StageSpec& stage, const Request& request) {
  std::string message = "the queue of stage '" + stage.name + "' is full";
  if (request.is_root()) return message;
  message += ": it was given a fan-out of " + std::to_string(request.rows()) +
             " items at once; raise maxPendingRows, or make fewer items";
  return message;
}

}  // namespace

Settler::Settler(Router& router) : router_(router), outlook_(router), queued_(router.stages(), 0) {}

bool Settler::settle(Request& request, Outcome outcome) {
  Request& root = request.root();
  if (!root.settlement.try_settle(outcome)) return false;
  append(root);
  return true;
}

bool Settler::fail(Request& request, Outcome outcome, std::uint32_t stage,
                   const std::string& message, const std::string& detail, Nanos retry_after) {
  Request& root = request.root();
  if (!root.settlement.try_settle(outcome)) return false;
  root.failed_stage = stage;
  root.retry_after = retry_after;
  root.message = message;
  root.detail = detail;
  append(root);
  return true;
}

bool Settler::shed(Request& request, std::uint32_t stage) {
  return fail(request, Outcome::kDeadlineExceeded, stage,
              "what was left of its deadline was less than the work before it takes");
}

void Settler::append(Request& request) {
  // Who joins a run under way shares a result whose moment was read before it came.
  request.settled_at = std::max(now_, request.submitted);
  request.next = nullptr;
  (first_ == nullptr ? first_ : last_->next) = &request;
  last_ = &request;
}

void Settler::flush() {
  for (std::size_t stage = 0; stage < queued_.size(); ++stage) {
    if (queued_[stage] == 0) continue;
    router_.queue(stage).notify(queued_[stage]);
    queued_[stage] = 0;
  }
  // Before they are answered: whoever sees an answer may submit the next request at once.
  if (finished_rows_ > 0) router_.admission().finish(finished_rows_);
  finished_rows_ = 0;
  if (first_ == nullptr) return;
  router_.settled().push_settled(first_, last_);
  first_ = last_ = nullptr;
}

Router::Router(const PipelineSpec& spec, const Layout& layout, SettledList& settled,
               Admission& admission)
    : spec_(spec),
      layout_(layout),
      settled_(settled),
      admission_(admission),
      fallbacks_(spec.stages.size()),
      certain_paths_(millrace::certain_paths(spec)) {
  for (std::size_t s = 0; s < spec.stages.size(); ++s) {
    queues_.push_back(std::make_unique<StageQueue>(spec.stages[s], layout.stages[s], layout,
                                                   ring_capacity(spec)));
    const std::optional<CacheSpec>& cache = spec.stages[s].cache;
    caches_.push_back(cache ? std::make_unique<ResultCache>(*cache) : nullptr);
    gauges_.push_back(std::make_unique<StageGauge>(spec.stages[s].max_batch));
  }
}

void Router::enter(Request& request, Settler& settler) {
  const std::uint32_t rows = request.rows();
  for (std::uint32_t row = 0; row < rows; ++row) {
    for (const std::uint32_t stage : layout_.entry_stages) start(request, row, stage, settler);
  }
}

void Router::start(Request& request, std::uint32_t row, std::uint32_t stage, Settler& settler) {
  if (!request.settled() && should_run(spec_.stages[stage], layout_, request, row) &&
      gather(request, row, stage, settler)) {
    if (cache(stage) != nullptr) return start_shared({&request, row}, stage, settler);
    if (enqueue({&request, row}, stage, settler)) return;
  }
  advance(request, row, stage, false, settler);
}

bool Router::gather(Request& request, std::uint32_t row, std::uint32_t stage, Settler& settler) {
  if (!spec_.stages[stage].gather) return true;
  const Status gathered = gather_items(spec_.stages[stage], layout_, stage, {request, row});
  if (!gathered.ok()) {
    settler.fail(request, Outcome::kFailed, stage, gathered.error().message);
  }
  return gathered.ok();
}

// Whether a row that would be queued now has a chance to be answered in time. What comes to an
// entry stage was asked that before it was let in.
bool Router::can_be_met(Request& request, std::uint32_t stage, Settler& settler) {
  if (request.deadline == kNever || !spec_.shed || layout_.stages[stage].predecessors == 0) {
    return true;
  }
  const Nanos now = settler.now();
  const Prospect prospect = settler.outlook().prospect({1, request.priority}, stage, now);
  if (now + prospect.expected.total() < request.deadline) return true;
  gauges_[stage]->count_shed();
  settler.shed(request, stage);
  return false;
}

bool Router::enqueue(RowRef row, std::uint32_t stage, Settler& settler) {
  Request& request = *row.request;
  if (row.visit == 0) row.visit = request.add_visit(row.row, stage, settler.now());
  if (!can_be_met(request, stage, settler)) {
    request.end_visit(row.visit, settler.now(), VisitState::kShed);
    return false;
  }
  switch (queues_[stage]->push(row, settler.now())) {
    case StageQueue::Push::kQueued:
      settler.count_queued(stage);
      return true;
    case StageQueue::Push::kFull:
      request.end_visit(row.visit, settler.now(), VisitState::kRefused);
      settler.fail(request, Outcome::kQueueFull, stage, full_message(spec_.stages[stage], request),
                   "", settler.outlook().time_to_room(1, settler.now()).value_or(kNever));
      return false;
    case StageQueue::Push::kWrongShape:
      settler.count_queued(stage);  // a replica must come and clear the slot
      request.end_visit(row.visit, settler.now(), VisitState::kFailed);
      settler.fail(request, Outcome::kFailed, stage,
                   "stage '" + spec_.stages[stage].name +
                       "' was given a row of another size than its model declares");
      return false;
  }
  return false;
}

void Router::resolve(Request& request, std::uint32_t row, std::uint32_t stage, bool ran,
                     Settler& settler) {
  if (cache(stage) != nullptr) share({&request, row}, stage, ran, settler);
  advance(request, row, stage, ran, settler);
}

void Router::advance(Request& request, std::uint32_t row, std::uint32_t stage, bool ran,
                     Settler& settler) {
  if (ran) request.mark_ran(row, stage);
  for (const std::uint32_t value : layout_.stages[stage].taken) request.let_go(value, row);
  // This stage's own share in the row keeps the request alive until the last line.
  for (const std::uint32_t next : layout_.stages[stage].successors) {
    if (request.arrive(row, next)) start(request, row, next, settler);
  }
  if (layout_.stages[stage].crosses) cross(request, row, stage, settler);
  drop_share(request, row, settler);
}

// To the scopes below, and to the one above.
void Router::cross(Request& request, std::uint32_t row, std::uint32_t stage, Settler& settler) {
  const StageLayout& place = layout_.stages[stage];
  for (const std::uint32_t id : place.relays) {
    if (!request.arrive(row, layout_.counter_of(id))) continue;
    const Relay& relay = layout_.relays[id];
    pass(relay.onward, request.items(row, relay.scope), settler);
  }
  if (place.items != 0) open(request, row, place.items, settler);
  for (const std::uint32_t id : place.gatherings) {
    if (!request.arrive_gathered(id)) continue;
    const std::uint32_t next = layout_.scopes[place.scope].gatherings[id].stage;
    Request& parent = *request.parent();
    if (parent.arrive(request.parent_row(), next)) {
      start(parent, request.parent_row(), next, settler);
    }
  }
}

// The stage that opens the scope is resolved for the row, and has still its share in it.
void Router::open(Request& request, std::uint32_t row, std::uint32_t scope, Settler& settler) {
  const ScopeLayout& place = layout_.scopes[scope];
  Request* const items = request.items(row, scope);
  const std::uint32_t count = items == nullptr ? 0 : items->rows();
  const bool has_work = count > 0 && place.shares > 0;  // items may only be there to be read
  if (has_work) admission_.add_items(count);
  pass(place.opening, items, settler);
  for (const std::uint32_t id : place.relays) {
    if (request.arrive(row, layout_.counter_of(id))) {
      pass(layout_.relays[id].onward, items, settler);
    }
  }
  for (const Gathering& gathering : place.gatherings) {
    const bool nothing_to_come = count == 0 || gathering.sources == 0;
    if (nothing_to_come && request.arrive(row, gathering.stage)) {
      start(request, row, gathering.stage, settler);
    }
  }
  if (!has_work) drop_share(request, row, settler);
}

// Hands a resolution above to every item. Null: there are none. Whoever calls it has a share in the
// row above, so the items are there even after the last of them is finished.
void Router::pass(const Passage& passage, Request* items, Settler& settler) {
  if (items == nullptr) return;
  for (std::uint32_t item = 0; item < items->rows(); ++item) {
    for (const std::uint32_t next : passage.successors) {
      if (items->arrive(item, next)) start(*items, item, next, settler);
    }
    for (const std::uint32_t id : passage.relays) {
      if (!items->arrive(item, layout_.counter_of(id))) continue;
      const Relay& relay = layout_.relays[id];
      pass(relay.onward, items->items(item, relay.scope), settler);
    }
  }
}

void Router::drop_share(Request& request, std::uint32_t row, Settler& settler) {
  if (request.resolve(row)) finish_row(request, settler);
}

void Router::finish_row(Request& request, Settler& settler) {
  if (!request.settlement.row_finished()) return;
  if (!request.is_root()) {
    // At once, not with the next flush: another thread may finish what they belong to before that.
    admission_.finish(request.rows());
    drop_share(*request.parent(), request.parent_row(), settler);
    return;
  }
  settler.count_finished(request.rows());
  // What comes late is not an answer, even where nobody has called expire() in between.
  const bool late = settler.now() >= request.deadline;
  settler.settle(request, late ? Outcome::kDeadlineExceeded : Outcome::kCompleted);
  release(request);
}

void Router::release(Request& request) {
  if (request.settlement.release()) settled_.push_free(&request);
}

}  // namespace millrace
