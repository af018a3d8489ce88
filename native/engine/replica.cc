#include "engine/replica.h"

#include <algorithm>
#include <numeric>
#include <system_error>
#include <tuple>
#include <utility>

#include "engine/fan_out.h"

namespace millrace {
namespace {

// How long a replica that ran dry looks for more work before it sleeps: about what a sleep and a
// wake-up cost.
constexpr Nanos kSpinBudget = 100'000;

// What the engine allows a batch of this stage; tell_limits() adds what is known of time.
BatchingLimits limits_of(const ReplicaContext& context, const Runner& runner) {
  BatchingLimits limits;
  limits.max_batch = std::min(context.max_batch, runner.max_batch());
  limits.max_delay = context.max_delay;
  return limits;
}

}  // namespace

Replica::Replica(const ReplicaContext& context, std::unique_ptr<Runner> runner)
    : context_(context),
      stage_(context.layout.stages[context.stage]),
      queue_(context.router.queue(context.stage)),
      gauge_(context.router.gauge(context.stage)),
      limits_(limits_of(context, *runner)),
      runner_(std::move(runner)),
      settler_(context.router),
      inputs_(context.spec, stage_, context.layout, queue_),
      outputs_(context.spec, stage_, context.layout, inputs_),
      spinner_(context.clock, kSpinBudget) {
  live_.reserve(limits_.max_batch);
  served_.reserve(limits_.max_batch);
  if (limits_.max_batch < context.max_batch) context_.stats.shrunk.add(1);
}

Status Replica::start() {
  // The one call in the core that throws by contract; here it becomes a value.
  try {
    thread_ = std::thread([this] {
      opened_.wait(false, std::memory_order_acquire);
      serve();
    });
  } catch (const std::system_error& error) {
    return Error{ErrorCode::kStageFailed,
                 std::string("no thread could be started for a replica: ") + error.what()};
  }
  return {};
}

void Replica::open() {
  opened_.store(true, std::memory_order_release);
  opened_.notify_one();
}

Replica::~Replica() {
  stop();
  join();
}

void Replica::join() {
  if (thread_.joinable()) thread_.join();
}

void Replica::stop() {
  stopping_.store(true, std::memory_order_release);
  open();  // where it never was
  queue_.parked.notify_all();
}

LaneDecision Replica::choose_lane(Nanos now) {
  tell_limits(now);
  queue_.view(now, limits_, views_);
  return choose(views_, limits_);
}

// Without shedding the policy is told nothing of time, and drops only what is past its deadline.
void Replica::tell_limits(Nanos now) {
  settler_.outlook().look(now);
  if (!context_.router.spec().shed) return;
  limits_.latency = &settler_.outlook().latency(context_.stage);
  const SpellByClass& rest = settler_.outlook().rest(context_.stage);
  for (std::size_t i = 0; i < kPriorityClasses; ++i) limits_.rest[i] = rest[i].total();
}

void Replica::serve() {
  // Rows of fixed size are a batch whichever they are: a slot never holds a part of one.
  if (runner_->slots() > 1 && stage_.fixed_inputs) return serve_flights();
  seat_ = gauge_.take_seat();
  gauge_.set_max_batch(limits_.max_batch);
  while (!stopping_.load(std::memory_order_acquire)) {
    const Nanos now = context_.clock.now();
    const LaneDecision next = choose_lane(now);
    switch (next.decision.action) {
      case Decision::Action::kTake:
        take(next, now);
        break;
      case Decision::Action::kWait:
        park();
        break;
      case Decision::Action::kIdle:
        idle();
        break;
    }
  }
  gauge_.leave_seat(seat_);
}

void Replica::idle() {
  if (spinner_.spin_until([this] { return queue_.ready(); })) return;
  const Nanos began = context_.clock.now();
  park();
  spinner_.slept(context_.clock.now() - began);
}

// Decides anew once it counts as a sleeper: what came since serve() decided has woken nobody, and
// may not be able to wait for as long as what was there before.
void Replica::park() {
  const EventCount::Key key = queue_.parked.prepare_wait();
  const Decision decision = choose_lane(context_.clock.now()).decision;
  if (decision.action == Decision::Action::kTake || stopping_.load(std::memory_order_acquire)) {
    queue_.parked.cancel_wait();
  } else {
    queue_.parked.wait(key, decision.wait_until);
  }
}

void Replica::take(const LaneDecision& next, Nanos now) {
  claim(next, now);
  // One wake-up may stand for more rows than one batch can take: of another lane, of another shape,
  // or too late to be in it.
  if (queue_.ready()) queue_.parked.notify_one();
  if (!dropped_.empty()) settler_.flush();  // those shed are answered now, not after the batch
  std::span<ClaimedRow> rest = live_;
  for (bool fresh = true; !rest.empty(); fresh = false) {
    const std::size_t together = inputs_.compatible(rest);
    if (fresh) {
      run_rows(rest.first(together));
    } else {
      run_again(rest.first(together));
    }
    rest = rest.subspan(together);
  }
  release_claims();
  send_on();
  context_.stats.busy_ns.add(static_cast<std::uint64_t>(context_.clock.now() - now));
}

void Replica::claim(const LaneDecision& next, Nanos now) {
  settler_.set_now(now);
  wanted_ = std::accumulate(next.decision.take.begin(), next.decision.take.end(), std::size_t{0});
  for (const std::uint8_t priority : next.decision.order) {
    claim_from(next.lane, priority, next.decision.take[priority]);
  }
  if (dropped_.empty() && doubtful_.empty()) return;
  replace_dropped(next);
  judge_again();
  // As they lie: whether they are neighbours is told by the first and the last (batch.cc).
  std::ranges::sort(live_, {}, [](const ClaimedRow& row) {
    return std::tuple(row.lane, row.priority, row.position);
  });
}

// Others take the places of those that were dropped.
void Replica::replace_dropped(const LaneDecision& next) {
  for (const std::uint8_t priority : next.decision.order) {
    while (live_.size() < wanted_ && claim_from(next.lane, priority, wanted_ - live_.size()) > 0) {
    }
  }
}

std::size_t Replica::claim_from(std::size_t lane, std::uint8_t priority, std::size_t most) {
  if (most == 0 || !queue_.lane(lane).provides(priority)) return 0;
  const auto claim = queue_.lane(lane).ring(priority).claim(most);
  if (claim.count == 0) return 0;
  claims_.push_back({static_cast<std::uint8_t>(lane), priority, claim});
  admit(claims_.back());
  return claim.count;
}

// Sorts claimed rows into those to run, those that may be too late, and those to drop: whose
// request is settled already.
void Replica::admit(const Claimed& claimed) {
  const Nanos now = settler_.now();
  const auto& [lane, priority, claim] = claimed;
  const Ring<RowRef>& ring = queue_.lane(lane).ring(priority);
  for (std::uint64_t at = claim.position; at < claim.position + claim.count; ++at) {
    const RowRef& ref = ring.at(at);
    if (ref.request == nullptr) continue;  // refused after its slot was reserved
    recorded_ = recorded_ || ref.visit != 0;
    const ClaimedRow row{ref.request, ref.row, priority, lane, at};
    if (ref.request->settled()) {
      leave(row);
    } else if (judge(now, {ref.request->deadline, priority}, wanted_, limits_) == Verdict::kShed) {
      doubtful_.push_back(row);
    } else {
      keep(row);
    }
  }
}

void Replica::keep(const ClaimedRow& row) {
  const Ring<RowRef>& ring = queue_.lane(row.lane).ring(row.priority);
  context_.stats.queue_ns.record(settler_.now() - ring.key(row.position).enqueued);
  live_.push_back(row);
}

// The batch may have become smaller than it was meant to be, and then be quick enough after all.
void Replica::judge_again() {
  for (const ClaimedRow& row : doubtful_) {
    const std::size_t batch = live_.size() + 1;
    const JudgedRow judged{row.request->deadline, row.priority};
    if (batch < wanted_ && judge(settler_.now(), judged, batch, limits_) == Verdict::kRun) {
      keep(row);
    } else {
      shed(row);
    }
  }
  doubtful_.clear();
}

// Its request is settled. Others may wait for its result all the same.
void Replica::leave(const ClaimedRow& row) {
  if (context_.router.wanted({row.request, row.row}, context_.stage)) {
    keep(row);
  } else {
    skip(row);
  }
}

void Replica::skip(const ClaimedRow& row) {
  context_.stats.skipped.add(1);
  end_visit(row, VisitState::kSkipped);
  dropped_.push_back({row.request, row.row});
}

// Rows that nobody waits for.
void Replica::skip_all(std::span<const ClaimedRow> rows) {
  for (const ClaimedRow& row : rows) skip(row);
}

void Replica::shed(const ClaimedRow& row) {
  context_.stats.shed.add(1);
  end_visit(row, VisitState::kShed);
  settler_.shed(*row.request, context_.stage);
  dropped_.push_back({row.request, row.row});
}

void Replica::release_claims() {
  for (const Claimed& one : claims_) {
    queue_.lane(one.lane).ring(one.priority).release(one.claim.position, one.claim.count);
  }
  claims_.clear();
  live_.clear();
  recorded_ = false;
}

void Replica::run_rows(std::span<ClaimedRow> rows) {
  const Nanos began = context_.clock.now();
  const RunBatch batch = inputs_.assemble(rows);
  // What a cache keeps, others may wait for whose requests are not among these.
  const bool watched = context_.router.cache(context_.stage) == nullptr;
  if (watched && begin_unwanted(rows)) return skip_all(rows);
  if (recorded_) begin_visits(rows, began);
  gauge_.set_due(seat_, began + settler_.outlook().latency(context_.stage).at(rows.size()));
  const Status status = runner_->run(batch, result_);
  const bool interrupted = watched && context_.watch.end();
  count_inputs();
  end_run(rows, began, status, interrupted);
}

// What comes of a run, with its result in result_ where it succeeded.
void Replica::end_run(std::span<ClaimedRow> rows, Nanos began, const Status& status,
                      bool interrupted) {
  const Nanos ended = context_.clock.now();
  settler_.set_now(ended);
  gauge_.set_due(seat_, StageGauge::kIdle);
  if (status.ok()) gauge_.service_times.record(rows.size(), ended - began, ended);
  context_.stats.batches.add(1);
  context_.stats.service_ns.record(ended - began);
  context_.stats.batch_rows.record(static_cast<std::int64_t>(rows.size()));
  if (!status.ok() && interrupted) {
    context_.stats.interrupted.add(1);
    end_visits(rows, VisitState::kInterrupted, run_);
    return skip_all(rows);
  }
  if (!status.ok()) return split(rows, status.error());
  if (std::exchange(result_.as_graph, false)) context_.stats.as_graphs.add(1);
  const Status stored = store(rows);
  if (!stored.ok()) return split(rows, stored.error());
  serve_rows(rows);
}

// Has the run watched, unless nobody wants it already.
bool Replica::begin_unwanted(std::span<const ClaimedRow> rows) {
  context_.watch.begin(*runner_, rows);
  if (!context_.watch.unwanted()) return false;
  context_.watch.end();
  return true;
}

// All rows but those that failed alone.
void Replica::serve_rows(std::span<const ClaimedRow> rows) {
  std::size_t row = 0;
  for (const RowFailure& failure : result_.failed) {
    for (; row < failure.row; ++row) served_.push_back(rows[row]);
    fail_row(rows[row++], failure.error);
  }
  end_visits(rows, VisitState::kRan, run_);
  served_.insert(served_.end(), rows.begin() + static_cast<std::ptrdiff_t>(row), rows.end());
  context_.stats.rows.add(rows.size() - result_.failed.size());
}

Status Replica::store(std::span<const ClaimedRow> rows) {
  if (stage_.items != 0)
    return store_items({context_.spec, context_.layout, stage_}, rows, result_);
  Status fits = outputs_.check(rows, result_);
  if (fits.ok()) context_.stats.handed_on.add(outputs_.store(rows, result_));
  return fits;
}

// Of the batch that was assembled last.
void Replica::count_inputs() {
  ReplicaStats& stats = context_.stats;
  if (inputs_.gathered()) stats.gathered.add(1);
  const PaddedElements& elements = inputs_.elements();
  if (elements.all == 0) return;
  stats.padded_elements.add(elements.all);
  stats.padding_elements.add(elements.padding);
}

// After the slots were given back, so that the next stage of a full pipeline finds room. A request
// may be gone after its last row was resolved.
void Replica::send_on() {
  for (const ClaimedRow& row : served_) {
    context_.router.resolve(*row.request, row.row, context_.stage, true, settler_);
  }
  for (const Dropped& row : dropped_) {
    context_.router.resolve(*row.request, row.row, context_.stage, false, settler_);
  }
  served_.clear();
  dropped_.clear();
  settler_.flush();
}

}  // namespace millrace
