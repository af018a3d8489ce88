#include "engine/engine.h"

#include <algorithm>
#include <utility>

namespace millrace {
namespace {

// A model without a batch dimension is given one row at a time, whatever was asked for; a replica
// that may take no row at all would never sleep.
PipelineSpec limit_batches(PipelineSpec spec) {
  for (StageSpec& stage : spec.stages) {
    stage.max_batch = stage.batched ? std::max<std::size_t>(stage.max_batch, 1) : 1;
  }
  return spec;
}

// Items of a row are not values of a row, which is what a cache keeps.
Status check_caches(const PipelineSpec& spec) {
  for (const StageSpec& stage : spec.stages) {
    if (!stage.cache || !stage.fan_out) continue;
    return Error{ErrorCode::kInvalidOption,
                 "stage '" + stage.name + "': a stage that makes items cannot have a cache"};
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Engine>> Engine::create(PipelineSpec spec, const Clock& clock,
                                               std::function<void()> wake) {
  const Status caches = check_caches(spec);
  if (!caches.ok()) return caches.error();
  std::unique_ptr<Engine> engine(
      new Engine(limit_batches(std::move(spec)), clock, std::move(wake)));
  for (std::size_t stage = 0; stage < engine->spec_.stages.size(); ++stage) {
    const Status status = engine->scale(stage, engine->spec_.stages[stage].replicas);
    if (!status.ok()) return status.error();
  }
  return engine;
}

Engine::Engine(PipelineSpec spec, const Clock& clock, std::function<void()> wake)
    : spec_(std::move(spec)),
      layout_(spec_),
      clock_(clock),
      admission_(spec_.max_pending_rows, layout_.scopes.size() > 1),
      settled_(std::move(wake)),
      router_(spec_, layout_, settled_, admission_),
      pool_(layout_, settled_),
      wheel_(clock.now()),
      settler_(router_),
      seats_(spec_.stages.size()) {}

Engine::~Engine() {
  stop(true);
}

SubmitResult Engine::submit(const SubmitOptions& options, std::span<const CallerInput> inputs) {
  using Refusal = SubmitResult::Refusal;
  const auto refuse = [this](Refusal refusal, Outcome outcome) {
    outcomes_[static_cast<std::size_t>(outcome)].add(1);
    return SubmitResult{refusal, 0};
  };
  if (refusing_) return refuse(Refusal::kClosed, Outcome::kClosed);
  const Nanos now = clock_.now();
  if (options.deadline <= now) return refuse(Refusal::kDeadlinePassed, Outcome::kDeadlineExceeded);
  if (!admission_.admit(options.rows)) return refuse(Refusal::kQueueFull, Outcome::kQueueFull);
  Request& request = pool_.take();
  request.prepare(options.rows);
  request.priority = options.priority;
  request.submitted = now;
  request.deadline = options.deadline;
  submitted_.add(1);
  if (options.deadline != kNever) wheel_.add(request);
  settler_.set_now(now);
  request.begin_submit(inputs.data(), inputs.size());
  router_.enter(request, settler_);
  request.end_submit();
  settler_.flush();
  return {Refusal::kNone, request.index()};
}

bool Engine::cancel(std::uint32_t index) {
  Request* const request = pool_.at(index);
  if (request == nullptr || !request->settlement.try_settle(Outcome::kCancelled)) return false;
  request->settled_at = clock_.now();
  count(*request);
  recycle(*request);
  return true;
}

Nanos Engine::expire() {
  const Nanos now = clock_.now();
  settler_.set_now(now);
  wheel_.advance(
      now, [this](Request& request) { settler_.settle(request, Outcome::kDeadlineExceeded); });
  settler_.flush();
  return wheel_.next();
}

Request* Engine::collect() {
  Request* const first = settled_.take_settled();
  for (Request* request = first; request != nullptr; request = request->next) count(*request);
  return first;
}

void Engine::count(Request& request) {
  const Outcome outcome = request.settlement.outcome();
  outcomes_[static_cast<std::size_t>(outcome)].add(1);
  if (outcome == Outcome::kCompleted) latency_ns_.record(request.settled_at - request.submitted);
  answered_.add(1);
  wheel_.remove(request);
}

void Engine::recycle(Request& request) {
  if (request.settlement.release()) pool_.give_back(request);
}

void Engine::abandon() {
  refuse();  // nobody would serve what came after
  settler_.set_now(clock_.now());
  for (std::uint32_t index = 0; index < pool_.size(); ++index) {
    settler_.settle(*pool_.at(index), Outcome::kClosed);
  }
  settler_.flush();
  // No replica is left to bring the rows that still wait to their end.
  admission_.finish_all();
}

Status Engine::scale(std::size_t stage, std::size_t replicas) {
  const std::lock_guard control(control_);
  const auto stopping = [this] { return stopping_.load(std::memory_order_relaxed); };
  while (!stopping() && seats_[stage].filled < replicas) {
    Status status = add_replica(stage);
    if (!status.ok()) return status;
  }
  if (stopping()) return Error{ErrorCode::kClosed, "the engine is closed"};
  remove_replicas(stage, replicas);
  return {};
}

Status Engine::add_replica(std::size_t stage) {
  const StageSpec& spec = spec_.stages[stage];
  auto runner = spec.model->make_runner({layout_.stages[stage].model_outputs, spec.max_batch});
  if (!runner.ok()) return runner.error();
  Seats& seats = seats_[stage];
  const std::lock_guard lock(seats_mutex_);
  if (seats.filled == seats.all.size()) seats.all.push_back(std::make_unique<Seat>());
  Seat& seat = *seats.all[seats.filled];
  const ReplicaContext context{spec,    layout_, static_cast<std::uint32_t>(stage),
                               router_, clock_,  seat.stats};
  auto replica = std::make_unique<Replica>(context, std::move(runner.value()));
  Status started = replica->start();
  if (!started.ok()) return started;
  seat.replica = std::move(replica);
  ++seats.filled;
  return {};
}

// Waits outside seats_mutex_, so that statistics can be read and stop() can terminate the batch
// that is waited for.
void Engine::remove_replicas(std::size_t stage, std::size_t keep) {
  Seats& seats = seats_[stage];
  const std::size_t before = seats.filled;
  if (before <= keep) return;
  {
    const std::lock_guard lock(seats_mutex_);
    seats.filled = keep;
  }
  for (std::size_t i = keep; i < before; ++i) seats.all[i]->replica->stop();
  for (std::size_t i = keep; i < before; ++i) seats.all[i]->replica->join();
  const std::lock_guard lock(seats_mutex_);
  for (std::size_t i = keep; i < before; ++i) seats.all[i]->replica.reset();
}

void Engine::terminate_replicas() {
  const std::lock_guard lock(seats_mutex_);
  for (const Seats& seats : seats_) {
    for (const auto& seat : seats.all) {
      if (seat->replica != nullptr) seat->replica->terminate();
    }
  }
}

void Engine::stop(bool terminate) {
  stopping_.store(true, std::memory_order_relaxed);
  if (terminate) terminate_replicas();  // also frees a scale() that waits for a batch
  const std::lock_guard control(control_);
  if (terminate) terminate_replicas();  // the one that a scale() was just adding
  for (std::size_t stage = 0; stage < seats_.size(); ++stage) remove_replicas(stage, 0);
}

void Engine::clear_cache(std::size_t stage) {
  if (ResultCache* cache = router_.cache(stage)) cache->clear();
}

StageStats Engine::stage_stats(std::size_t stage) const {
  StageStats stats;
  HistogramMerge queue;
  HistogramMerge service;
  HistogramMerge rows;
  stats.name = spec_.stages[stage].name;
  stats.waiting = router_.queue(stage).waiting();
  stats.lanes = router_.queue(stage).lanes();
  stats.replicas = seats_[stage].filled;
  for (const auto& seat : seats_[stage].all) {
    const ReplicaStats& one = seat->stats;
    stats.rows += one.rows.get();
    stats.batches += one.batches.get();
    stats.gathered += one.gathered.get();
    stats.shed += one.shed.get();
    stats.skipped += one.skipped.get();
    stats.failed += one.failed.get();
    stats.retries += one.retries.get();
    stats.padded_elements += one.padded_elements.get();
    stats.padding_elements += one.padding_elements.get();
    stats.busy_ns += one.busy_ns.get();
    queue.add(one.queue_ns);
    service.add(one.service_ns);
    rows.add(one.batch_rows);
  }
  stats.queue_ns = queue.summary();
  stats.service_ns = service.summary();
  stats.batch_rows = rows.summary();
  if (const ResultCache* cache = router_.cache(stage)) stats.cache = cache->stats();
  return stats;
}

EngineStats Engine::stats() const {
  EngineStats stats;
  stats.pending_requests = pending();
  stats.pending_rows = admission_.pending();
  for (std::size_t i = 0; i < kOutcomes; ++i) stats.outcomes[i] = outcomes_[i].get();
  HistogramMerge latency;
  latency.add(latency_ns_);
  stats.latency_ns = latency.summary();
  const std::lock_guard lock(seats_mutex_);
  for (std::size_t stage = 0; stage < seats_.size(); ++stage) {
    stats.stages.push_back(stage_stats(stage));
  }
  return stats;
}

}  // namespace millrace
