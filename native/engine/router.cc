#include "engine/router.h"

#include "engine/routing.h"

namespace millrace {
namespace {

// Twice the rows admitted: slots stay taken while their batch runs, and a slow replica must not
// block the ring for the others that overtake it.
std::size_t ring_capacity(const PipelineSpec& spec) {
  return 2 * spec.max_pending_rows;
}

}  // namespace

Settler::Settler(Router& router) : router_(router), queued_(router.stages(), 0) {}

bool Settler::settle(Request& request, Outcome outcome) {
  if (!request.settlement.try_settle(outcome)) return false;
  append(request);
  return true;
}

bool Settler::fail(Request& request, Outcome outcome, std::uint32_t stage,
                   const std::string& message, const std::string& detail) {
  if (!request.settlement.try_settle(outcome)) return false;
  request.failed_stage = stage;
  request.message = message;
  request.detail = detail;
  append(request);
  return true;
}

void Settler::append(Request& request) {
  request.settled_at = now_;
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
    : spec_(spec), layout_(layout), settled_(settled), admission_(admission) {
  for (std::size_t s = 0; s < spec.stages.size(); ++s) {
    queues_.push_back(std::make_unique<StageQueue>(spec.stages[s], layout.stages[s], layout,
                                                   ring_capacity(spec)));
  }
}

void Router::enter(Request& request, Settler& settler) {
  const std::uint32_t rows = request.rows();
  for (std::uint32_t row = 0; row < rows; ++row) {
    for (const std::uint32_t stage : layout_.entry_stages) start(request, row, stage, settler);
  }
}

void Router::start(Request& request, std::uint32_t row, std::uint32_t stage, Settler& settler) {
  if (!request.settlement.settled() && should_run(spec_.stages[stage], layout_, request, row) &&
      enqueue(request, row, stage, settler)) {
    return;
  }
  resolve(request, row, stage, false, settler);
}

bool Router::enqueue(Request& request, std::uint32_t row, std::uint32_t stage, Settler& settler) {
  switch (queues_[stage]->push(request, row, settler.now())) {
    case StageQueue::Push::kQueued:
      settler.count_queued(stage);
      return true;
    case StageQueue::Push::kFull:
      settler.fail(request, Outcome::kQueueFull, stage,
                   "the queue of stage '" + spec_.stages[stage].name + "' is full");
      return false;
    case StageQueue::Push::kWrongShape:
      settler.count_queued(stage);  // a replica must come and clear the slot
      settler.fail(request, Outcome::kFailed, stage,
                   "stage '" + spec_.stages[stage].name +
                       "' was given a row of another size than its model declares");
      return false;
  }
  return false;
}

void Router::resolve(Request& request, std::uint32_t row, std::uint32_t stage, bool ran,
                     Settler& settler) {
  if (ran) request.mark_ran(row, stage);
  // This stage's own share in the row keeps the request alive until the last line.
  for (const std::uint32_t next : layout_.stages[stage].successors) {
    if (request.arrive(row, next)) start(request, row, next, settler);
  }
  if (request.resolve(row)) finish_row(request, settler);
}

void Router::finish_row(Request& request, Settler& settler) {
  if (!request.settlement.row_finished()) return;
  settler.count_finished(request.rows());
  settler.settle(request, Outcome::kCompleted);
  release(request);
}

void Router::release(Request& request) {
  if (request.settlement.release()) settled_.push_free(&request);
}

}  // namespace millrace
