#include "engine/staff.h"

#include <algorithm>
#include <utility>

#include "base/thread_priority.h"
#include "engine/warm_up.h"
#include "model/host_rows.h"

namespace millrace {
namespace {

// One row at a time where a model has no batch dimension, whatever was asked for; and a replica
// that may take no row at all would never sleep.
std::size_t batch_limit(const StageSpec& stage, std::size_t max_batch) {
  return stage.batched ? std::max<std::size_t>(max_batch, 1) : 1;
}

}  // namespace

Staff::Staff(const Workplace& workplace, std::vector<std::shared_ptr<Model>> models)
    : at_(workplace), services_(models.size()), seats_(models.size()) {
  for (std::size_t stage = 0; stage < models.size(); ++stage) {
    const StageSpec& spec = at_.spec.stages[stage];
    services_[stage].model = std::move(models[stage]);
    services_[stage].max_batch = spec.max_batch;
    services_[stage].max_delay = spec.max_delay;
    services_[stage].threads = spec.threads;
  }
}

Staff::~Staff() {
  stop(true);
}

Status Staff::closed() const {
  if (!stopping_.load(std::memory_order_relaxed)) return {};
  return Error{ErrorCode::kClosed, "the engine is closed"};
}

// One replica after the other, so that the first of many serves while the others are made.
Status Staff::scale(std::size_t stage, std::size_t replicas) {
  const std::lock_guard control(control_);
  while (closed().ok() && seats_.serving_count(stage) < replicas) {
    StageChange one_more{stage, nullptr, seats_.serving_count(stage) + 1, {}, {}, {}};
    Change change = plan(one_more);
    Status hired = prepare(change);
    if (hired.ok()) hired = commit(change);
    if (!hired.ok()) return hired;
  }
  Status open = closed();
  if (!open.ok()) return open;
  Change fewer = plan({stage, nullptr, replicas, {}, {}, {}});
  return commit(fewer);
}

Status Staff::reconfigure(std::span<const StageChange> changes) {
  const std::lock_guard control(control_);
  std::vector<Change> planned;
  for (const StageChange& change : changes) planned.push_back(plan(change));
  Status status = closed();
  for (Change& change : planned) {
    if (status.ok()) status = prepare(change);
  }
  for (Change& change : planned) {
    if (status.ok()) {
      status = commit(change);
    } else {
      discard(change);
    }
  }
  return status;
}

Staff::Change Staff::plan(const StageChange& wanted) const {
  const std::size_t stage = wanted.stage;
  const Service& now = services_[stage];
  Change change{stage, now, wanted.model != nullptr, 0, {}, {}};
  if (change.new_model) {
    change.service.model = wanted.model;
    change.service.warm_rows = 0;
    change.service.refuses_zeros = false;
  }
  change.service.max_batch =
      batch_limit(at_.spec.stages[stage], wanted.max_batch.value_or(now.max_batch));
  change.service.max_delay = wanted.max_delay.value_or(now.max_delay);
  change.service.threads = wanted.threads.value_or(now.threads);

  std::vector<Seat*> serving = seats_.serving(stage);
  const std::size_t replicas = wanted.replicas.value_or(serving.size());
  const bool replaces = change.new_model || change.service.max_batch != now.max_batch ||
                        change.service.max_delay != now.max_delay;
  const std::size_t stay = replaces ? 0 : std::min(serving.size(), replicas);
  change.hires = replicas - stay;
  change.leaving.assign(serving.begin() + static_cast<std::ptrdiff_t>(stay), serving.end());
  return change;
}

// Everything that may fail, beside those that serve.
Status Staff::prepare(Change& change) {
  Status status = closed();
  while (status.ok() && change.hired.size() < change.hires) {
    status = hire(change);
    if (status.ok()) status = closed();
  }
  if (!status.ok()) discard(change);
  return status;
}

Status Staff::hire(Change& change) {
  const std::size_t stage = change.stage;
  const Service& service = change.service;
  auto runner = make_runner(stage, service);
  if (!runner.ok()) return runner.error();
  Seat& seat = seats_.empty(stage);
  const ReplicaContext context{at_.spec.stages[stage],
                               at_.layout,
                               static_cast<std::uint32_t>(stage),
                               at_.router,
                               at_.clock,
                               seat.stats,
                               seat.watch,
                               service.max_batch,
                               service.max_delay,
                               seat.number,
                               service.threads};
  seats_.sit(seat, std::make_unique<Replica>(context, std::move(runner.value())));
  change.hired.push_back(&seat);
  Status warmed = warm(change, seat.replica->runner());
  return warmed.ok() ? seat.replica->start() : warmed;
}

// A model that came later may be on another device, or on none: what it leaves is then for the
// host.
Result<std::unique_ptr<Runner>> Staff::make_runner(std::size_t stage,
                                                   const Service& service) const {
  const StageLayout& place = at_.layout.stages[stage];
  const void* const device = service.model->block_device();
  RunnerOptions options{place.model_outputs, service.max_batch};
  if (device != nullptr && device == at_.spec.stages[stage].model->block_device())
    options.handed = place.handed_outputs;
  auto runner = service.model->make_runner(options);
  if (!runner.ok() || device != nullptr || place.taken.empty()) return runner;
  return on_host_rows(std::move(runner.value()), *service.model);
}

// Zeros are made up, so a model may refuse them and serve well; but one that fails where the model
// before it did not shall not take its place.
Status Staff::warm(Change& change, Runner& runner) {
  Service& service = change.service;
  const Model::WarmUp kind = service.model->warm_up();
  if (!at_.spec.warm_up || kind == Model::WarmUp::kNone || service.refuses_zeros) return {};
  const std::size_t most = std::min(service.max_batch, at_.spec.max_pending_rows);
  auto zeros = ZeroBatch::of(*service.model, at_.spec.stages[change.stage].batched, most);
  if (!zeros) return {};
  const std::size_t warm_rows = kind == Model::WarmUp::kOnce ? warm_rows_of(service) : 0;
  const auto sizes = warm_up_sizes(warm_rows, most);
  Status status;
  const auto run = [&] { status = warm_up(runner, *zeros, sizes, at_.clock); };
  if (change.new_model) {
    run_at_low_priority(run);
  } else {
    run();
  }
  service.warm_rows = std::max(warm_rows, most);
  service.refuses_zeros = !status.ok();
  const bool accepted_before = !services_[change.stage].refuses_zeros;
  return change.new_model && accepted_before ? status : Status{};
}

// Stages may share a model; what warmed one of them warmed the other.
std::size_t Staff::warm_rows_of(const Service& service) const {
  std::size_t rows = service.warm_rows;
  for (const Service& other : services_) {
    if (other.model == service.model) rows = std::max(rows, other.warm_rows);
  }
  return rows;
}

// Fails only where the engine is stopped.
Status Staff::commit(Change& change) {
  const std::size_t stage = change.stage;
  const std::size_t pairs = std::min(change.hired.size(), change.leaving.size());
  std::size_t done = 0;
  for (; done < pairs && closed().ok(); ++done) {
    seats_.open(stage, *change.hired[done]);
    seats_.dismiss(stage, {&change.leaving[done], 1});
  }
  Status status = closed();
  const std::span<Seat* const> hired(change.hired);
  const std::span<Seat* const> leaving(change.leaving);
  if (!status.ok()) {
    seats_.dismiss(stage, hired.subspan(done));
    return status;
  }
  for (Seat* const seat : hired.subspan(done)) seats_.open(stage, *seat);
  // The old model goes with its last replica.
  services_[stage] = std::move(change.service);
  seats_.dismiss(stage, leaving.subspan(done));
  // Only now: no replica can begin a run of the old model any more.
  if (change.new_model) at_.router.fallbacks().clear(stage);
  tell_fallback(change);
  ResultCache* const cache = at_.router.cache(stage);
  if (change.new_model && cache != nullptr) cache->clear();
  return {};
}

// A device may have been lost before they came to serve.
void Staff::tell_fallback(const Change& change) {
  for (Seat* const seat : change.hired)
    at_.router.fallbacks().note(change.stage, seat->replica->runner().replaced());
}

void Staff::discard(Change& change) {
  seats_.dismiss(change.stage, change.hired);
  change.hired.clear();
}

void Staff::stop(bool terminate) {
  stopping_.store(true, std::memory_order_relaxed);
  if (terminate) seats_.terminate();  // also frees a change that waits for a batch
  const std::lock_guard control(control_);
  if (terminate) seats_.terminate();  // the one that a change was just adding
  for (std::size_t stage = 0; stage < services_.size(); ++stage) {
    seats_.dismiss(stage, seats_.serving(stage));
    services_[stage].model = nullptr;
  }
}

StageStats Staff::stage_stats(std::size_t stage) const {
  StageStats stats;
  HistogramMerge queue;
  HistogramMerge service;
  HistogramMerge rows;
  stats.name = at_.spec.stages[stage].name;
  stats.replicas = seats_.serving_count(stage);
  stats.waiting = at_.router.queue(stage).waiting();
  stats.lanes = at_.router.queue(stage).lanes();
  stats.shed = at_.router.gauge(stage).shed();
  if (const ResultCache* cache = at_.router.cache(stage)) stats.cache = cache->stats();
  stats.fallback = at_.router.fallbacks().reason(stage);
  seats_.each_stats(stage, [&](const ReplicaStats& one) {
    stats.rows += one.rows.get();
    stats.batches += one.batches.get();
    stats.gathered += one.gathered.get();
    stats.shed += one.shed.get();
    stats.skipped += one.skipped.get();
    stats.failed += one.failed.get();
    stats.interrupted += one.interrupted.get();
    stats.retries += one.retries.get();
    stats.padded_elements += one.padded_elements.get();
    stats.padding_elements += one.padding_elements.get();
    stats.handed_on += one.handed_on.get();
    stats.as_graphs += one.as_graphs.get();
    stats.shrunk += one.shrunk.get();
    stats.busy_ns += one.busy_ns.get();
    queue.add(one.queue_ns);
    service.add(one.service_ns);
    rows.add(one.batch_rows);
  });
  stats.queue_ns = queue.summary();
  stats.service_ns = service.summary();
  stats.batch_rows = rows.summary();
  return stats;
}

StageHistograms Staff::stage_histograms(std::size_t stage, const HistogramBounds& bounds) const {
  HistogramMerge queue;
  HistogramMerge service;
  HistogramMerge rows;
  seats_.each_stats(stage, [&](const ReplicaStats& one) {
    queue.add(one.queue_ns);
    service.add(one.service_ns);
    rows.add(one.batch_rows);
  });
  return {queue.counts(bounds.stage_ns), service.counts(bounds.stage_ns),
          rows.counts(bounds.batch_rows)};
}

}  // namespace millrace
