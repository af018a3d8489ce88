#include "engine/replica.h"

#include <algorithm>
#include <system_error>

namespace millrace {
namespace {

// How long a replica that ran dry looks for more work before it sleeps: about what a sleep and a
// wake-up cost.
constexpr Nanos kSpinBudget = 100'000;

// What the engine allows a batch of this stage; the latency table comes with profiles.
BatchingLimits limits_of(const StageSpec& spec) {
  BatchingLimits limits;
  limits.max_batch = spec.max_batch;
  limits.max_delay = spec.max_delay;
  return limits;
}

}  // namespace

Replica::Replica(const ReplicaContext& context, std::unique_ptr<Runner> runner)
    : context_(context),
      stage_(context.layout.stages[context.stage]),
      queue_(context.router.queue(context.stage)),
      limits_(limits_of(context.spec)),
      runner_(std::move(runner)),
      settler_(context.router),
      inputs_(context.spec, stage_, context.layout, queue_),
      outputs_(context.spec, stage_, context.layout, inputs_),
      spinner_(context.clock, kSpinBudget) {
  live_.reserve(limits_.max_batch);
  served_.reserve(limits_.max_batch);
}

Status Replica::start() {
  // The one call in the core that throws by contract; here it becomes a value.
  try {
    thread_ = std::thread([this] { serve(); });
  } catch (const std::system_error& error) {
    return Error{ErrorCode::kStageFailed,
                 std::string("no thread could be started for a replica: ") + error.what()};
  }
  return {};
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
  queue_.parked.notify_all();
}

void Replica::serve() {
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
}

LaneDecision Replica::choose_lane(Nanos now) {
  queue_.view(now, views_);
  return choose(views_, limits_);
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
  context_.stats.busy_ns.add(static_cast<std::uint64_t>(settler_.now() - now));
}

void Replica::claim(const LaneDecision& next, Nanos now) {
  settler_.set_now(now);
  const Lane& lane = queue_.lane(next.lane);
  for (const std::uint8_t priority : next.decision.order) {
    if (next.decision.take[priority] == 0) continue;
    const auto claim = lane.ring(priority).claim(next.decision.take[priority]);
    if (claim.count == 0) continue;
    claims_.push_back({static_cast<std::uint8_t>(next.lane), priority, claim});
    admit(claims_.back(), now);
  }
}

// Sorts claimed rows into those to run and those to drop.
void Replica::admit(const Claimed& claimed, Nanos now) {
  const auto& [lane, priority, claim] = claimed;
  const Ring<RowRef>& ring = queue_.lane(lane).ring(priority);
  for (std::uint64_t at = claim.position; at < claim.position + claim.count; ++at) {
    const RowRef& ref = ring.at(at);
    if (ref.request == nullptr) continue;  // refused after its slot was reserved
    if (drop_if_gone(*ref.request, ref.row, now)) continue;
    context_.stats.queue_ns.record(now - ring.key(at).enqueued);
    live_.push_back({ref.request, ref.row, priority, lane, at});
  }
}

// Whether the row is not to be run: its request is settled already, or cannot be met any more.
bool Replica::drop_if_gone(Request& request, std::uint32_t row, Nanos now) {
  if (request.settlement.settled()) {
    context_.stats.skipped.add(1);
  } else if (judge(now, request.deadline, limits_) == Verdict::kShed) {
    context_.stats.shed.add(1);
    settler_.fail(request, Outcome::kDeadlineExceeded, context_.stage, "");
  } else {
    return false;
  }
  dropped_.push_back({&request, row});
  return true;
}

void Replica::release_claims() {
  for (const Claimed& one : claims_) {
    queue_.lane(one.lane).ring(one.priority).release(one.claim.position, one.claim.count);
  }
  claims_.clear();
  live_.clear();
}

void Replica::run_rows(std::span<ClaimedRow> rows) {
  const Nanos began = context_.clock.now();
  const Status status = runner_->run(inputs_.assemble(rows), result_);
  const Nanos ended = context_.clock.now();
  settler_.set_now(ended);
  count_run(rows.size(), ended - began);
  if (!status.ok()) return split(rows, status.error());
  const Status fits = outputs_.check(rows, result_);
  if (!fits.ok()) return split(rows, fits.error());
  outputs_.store(rows, result_);
  serve_rows(rows);
}

// All rows but those that failed alone.
void Replica::serve_rows(std::span<const ClaimedRow> rows) {
  std::size_t row = 0;
  for (const RowFailure& failure : result_.failed) {
    for (; row < failure.row; ++row) served_.push_back(rows[row]);
    fail_row(rows[row++], failure.error);
  }
  served_.insert(served_.end(), rows.begin() + static_cast<std::ptrdiff_t>(row), rows.end());
  context_.stats.rows.add(rows.size() - result_.failed.size());
}

void Replica::count_run(std::size_t rows, Nanos service) {
  ReplicaStats& stats = context_.stats;
  stats.batches.add(1);
  stats.service_ns.record(service);
  stats.batch_rows.record(static_cast<std::int64_t>(rows));
  if (inputs_.gathered()) stats.gathered.add(1);
  const PaddedElements& elements = inputs_.elements();
  if (elements.all == 0) return;
  stats.padded_elements.add(elements.all);
  stats.padding_elements.add(elements.padding);
}

// Some may have left while others ran.
void Replica::run_again(std::span<ClaimedRow> rows) {
  const auto gone = std::ranges::remove_if(rows, [this](const ClaimedRow& row) {
    return drop_if_gone(*row.request, row.row, settler_.now());
  });
  const auto left = rows.first(rows.size() - gone.size());
  if (!left.empty()) run_rows(left);
}

void Replica::split(std::span<ClaimedRow> rows, const Error& error) {
  if (rows.size() == 1 || error.code == ErrorCode::kCancelled || !context_.spec.isolate) {
    for (const ClaimedRow& row : rows) fail_row(row, error);
    return;
  }
  context_.stats.retries.add(1);
  const std::size_t half = rows.size() / 2;
  run_again(rows.first(half));
  run_again(rows.subspan(half));
}

void Replica::fail_row(const ClaimedRow& row, const Error& error) {
  const bool cancelled = error.code == ErrorCode::kCancelled;
  context_.stats.failed.add(1);
  settler_.fail(*row.request, cancelled ? Outcome::kClosed : Outcome::kFailed, context_.stage,
                error.message, error.detail);
  dropped_.push_back({row.request, row.row});
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
