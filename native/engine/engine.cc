#include "engine/engine.h"

#include <algorithm>
#include <utility>

#include "engine/model_signature.h"

namespace millrace {
namespace {

// A model without a batch dimension is given one row at a time, whatever was asked for.
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

// Leaves signatures in their place: the spec is for good, models are not.
std::vector<std::shared_ptr<Model>> take_models(PipelineSpec& spec) {
  std::vector<std::shared_ptr<Model>> models;
  for (StageSpec& stage : spec.stages) {
    models.push_back(stage.model);
    stage.model = std::make_shared<ModelSignature>(*models.back());
  }
  return models;
}

}  // namespace

Result<std::unique_ptr<Engine>> Engine::create(PipelineSpec spec, const Clock& clock,
                                               std::function<void()> wake) {
  const Status caches = check_caches(spec);
  if (!caches.ok()) return caches.error();
  spec = limit_batches(std::move(spec));
  std::vector<std::shared_ptr<Model>> models = take_models(spec);
  std::unique_ptr<Engine> engine(
      new Engine(std::move(spec), std::move(models), clock, std::move(wake)));
  for (std::size_t stage = 0; stage < engine->spec_.stages.size(); ++stage) {
    const Status status = engine->scale(stage, engine->spec_.stages[stage].replicas);
    if (!status.ok()) return status.error();
  }
  return engine;
}

Engine::Engine(PipelineSpec spec, std::vector<std::shared_ptr<Model>> models, const Clock& clock,
               std::function<void()> wake)
    : spec_(std::move(spec)),
      layout_(spec_),
      clock_(clock),
      admission_(spec_.max_pending_rows, layout_.scopes.size() > 1),
      settled_(std::move(wake)),
      router_(spec_, layout_, settled_, admission_),
      pool_(layout_, settled_),
      wheel_(clock.now()),
      settler_(router_),
      staff_({spec_, layout_, router_, clock}, std::move(models)) {}

Engine::~Engine() {
  stop(true);
}

SubmitResult Engine::submit(const SubmitOptions& options, std::span<const CallerInput> inputs) {
  using Refusal = SubmitResult::Refusal;
  const auto refuse = [this](Refusal refusal, Outcome outcome) {
    outcomes_[static_cast<std::size_t>(outcome)].add(1);
    return SubmitResult{refusal, 0, kNever, {}};
  };
  if (refusing_) return refuse(Refusal::kClosed, Outcome::kClosed);
  const Nanos now = clock_.now();
  if (options.deadline <= now) return refuse(Refusal::kDeadlinePassed, Outcome::kDeadlineExceeded);
  if (spec_.shed && options.deadline != kNever) {
    const SubmitResult shed = shed_at_the_door(options, now);
    if (shed.refusal != Refusal::kNone) return shed;
  }
  if (!admission_.admit(options.rows)) {
    SubmitResult full = refuse(Refusal::kQueueFull, Outcome::kQueueFull);
    full.retry_after = settler_.outlook().time_to_room(options.rows, now).value_or(kNever);
    return full;
  }
  Request& request = pool_.take();
  request.prepare(options.rows);
  request.record_visits(options.record_visits);
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
  return {Refusal::kNone, request.index(), kNever, {}};
}

SubmitResult Engine::shed_at_the_door(const SubmitOptions& options, Nanos now) {
  using Refusal = SubmitResult::Refusal;
  const Nanos left = options.deadline - now;
  const Prospect prospect = settler_.outlook().at_the_door({options.rows, options.priority}, now);
  switch (chance_of(prospect, left)) {
    case Chance::kGood:
      return {};
    case Chance::kTooBusy:
      shed_.add(1);
      return {Refusal::kTooBusy, 0, time_to_chance(prospect, left), prospect};
    case Chance::kTooLittle:
      shed_.add(1);
      return {Refusal::kTooLittle, 0, kNever, prospect};
  }
  return {};
}

bool Engine::cancel(std::uint32_t index) {
  Request* const request = pool_.at(index);
  if (request == nullptr || !request->settlement.try_settle(Outcome::kCancelled)) return false;
  request->settled_at = clock_.now();
  staff_.look();  // before its memory may be used again
  count(*request);
  recycle(*request);
  return true;
}

const Request* Engine::recorded(std::uint32_t index) const {
  const Request* const request = pool_.at(index);
  return request == nullptr || request->visits == nullptr ? nullptr : request;
}

Nanos Engine::expire() {
  const Nanos now = clock_.now();
  settler_.set_now(now);
  bool any = false;
  wheel_.advance(now, [&](Request& request) {
    any = settler_.settle(request, Outcome::kDeadlineExceeded) || any;
  });
  if (any) staff_.look();
  settler_.flush();
  return wheel_.next();
}

Request* Engine::collect() {
  Request* const first = settled_.take_settled();
  bool failed = false;
  for (Request* request = first; request != nullptr; request = request->next) {
    failed = failed || request->settlement.outcome() != Outcome::kCompleted;
    count(*request);
  }
  if (failed) staff_.look();  // rows of theirs may be running elsewhere
  return first;
}

void Engine::count(Request& request) {
  const Outcome outcome = request.settlement.outcome();
  outcomes_[static_cast<std::size_t>(outcome)].add(1);
  if (outcome == Outcome::kCompleted) {
    const Nanos latency = request.settled_at - request.submitted;
    latency_ns_.record(latency);
    if (latency <= spec_.objective) within_objective_.add(1);
  }
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

EngineStats Engine::stats() const {
  EngineStats stats;
  stats.pending_requests = pending();
  stats.pending_rows = admission_.pending();
  for (std::size_t i = 0; i < kOutcomes; ++i) stats.outcomes[i] = outcomes_[i].get();
  stats.shed = shed_.get();
  stats.within_objective = within_objective_.get();
  HistogramMerge latency;
  latency.add(latency_ns_);
  stats.latency_ns = latency.summary();
  for (std::size_t stage = 0; stage < spec_.stages.size(); ++stage) {
    stats.stages.push_back(staff_.stage_stats(stage));
  }
  return stats;
}

EngineHistograms Engine::histograms(const HistogramBounds& bounds) const {
  EngineHistograms histograms;
  HistogramMerge latency;
  latency.add(latency_ns_);
  histograms.latency_ns = latency.counts(bounds.latency_ns);
  for (std::size_t stage = 0; stage < spec_.stages.size(); ++stage) {
    histograms.stages.push_back(staff_.stage_histograms(stage, bounds));
  }
  return histograms;
}

}  // namespace millrace
