#include "engine/replica.h"

#include <algorithm>
#include <system_error>

#include "engine/fan_out.h"

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
    const LaneDecision next = look(now);
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

LaneDecision Replica::look(Nanos now) {
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
  const Decision decision = look(context_.clock.now()).decision;
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
  const Decision& decision = next.decision;
  // The common lane of a stage with others holds rows of all shapes: one batch takes those of one.
  const bool mixed = next.lane == StageQueue::kCommonLane && queue_.shapes().laned();
  std::size_t claimed = 0;
  for (const std::uint8_t priority : decision.order) {
    if (decision.take[priority] == 0 || (mixed && !alike(priority))) continue;
    claimed += claim_from(next.lane, priority, decision.take[priority], now);
  }
  if (mixed && claimed > 0) top_up(decision, claimed, now);
}

// Whether what comes next in the common lane may share the batch; true for the first.
bool Replica::alike(std::uint8_t priority) {
  SlotKey key;
  return claims_.empty() || (queue_.lane(StageQueue::kCommonLane).ring(priority).peek(key) &&
                             key.shape == claimed_shape());
}

std::uint64_t Replica::claimed_shape() {
  const Claimed& first = claims_.front();
  return queue_.lane(first.lane).ring(first.priority).key(first.claim.position).shape;
}

// Rows come to the common lane when their own is full; those that found room there fill the batch.
void Replica::top_up(const Decision& decision, std::size_t claimed, Nanos now) {
  const std::size_t lane = queue_.lane_of(claimed_shape());
  if (lane == StageQueue::kCommonLane) return;
  std::size_t room = room_left(views_[StageQueue::kCommonLane], decision, claimed, limits_);
  for (const std::uint8_t priority : decision.order) {
    room -= claim_from(lane, priority, room, now);
  }
}

std::size_t Replica::claim_from(std::size_t lane, std::uint8_t priority, std::size_t most,
                                Nanos now) {
  const auto claim = queue_.lane(lane).ring(priority).claim(most);
  if (claim.count == 0) return 0;
  claims_.push_back({static_cast<std::uint8_t>(lane), priority, claim});
  admit(claims_.back(), now);
  return claim.count;
}

// Sorts claimed rows into those to run and those to drop.
void Replica::admit(const Claimed& claimed, Nanos now) {
  const auto& [lane, priority, claim] = claimed;
  const Ring<RowRef>& ring = queue_.lane(lane).ring(priority);
  for (std::uint64_t at = claim.position; at < claim.position + claim.count; ++at) {
    const RowRef& ref = ring.at(at);
    if (ref.request == nullptr) continue;  // refused after its slot was reserved
    if (drop(*ref.request, ref.row, now)) continue;
    context_.stats.queue_ns.record(now - ring.key(at).enqueued);
    live_.push_back({ref.request, ref.row, priority, lane, at});
  }
}

// Whether the row is not to be run: nobody waits for it any more, or it cannot be met.
bool Replica::drop(Request& request, std::uint32_t row, Nanos now) {
  if (request.settled()) {
    if (context_.router.wanted({&request, row}, context_.stage)) return false;
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
  const Status stored = store(rows);
  if (!stored.ok()) return split(rows, stored.error());
  auto failed = result_.failed.begin();
  for (std::size_t n = 0; n < rows.size(); ++n) {
    if (failed != result_.failed.end() && failed->row == n) {
      fail_row(rows[n], Outcome::kFailed, (failed++)->error);
    } else {
      served_.push_back(rows[n]);
    }
  }
  context_.stats.rows.add(rows.size() - result_.failed.size());
}

Status Replica::store(std::span<const ClaimedRow> rows) {
  if (stage_.items != 0) return store_items({context_.spec, context_.layout, stage_}, rows, result_);
  Status fits = outputs_.check(rows, result_);
  if (fits.ok()) outputs_.store(rows, result_);
  return fits;
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
  const auto gone = std::ranges::remove_if(
      rows, [this](const ClaimedRow& row) { return drop(*row.request, row.row, settler_.now()); });
  const auto left = rows.first(rows.size() - gone.size());
  if (!left.empty()) run_rows(left);
}

void Replica::split(std::span<ClaimedRow> rows, const Error& error) {
  const bool cancelled = error.code == ErrorCode::kCancelled;
  if (rows.size() == 1 || cancelled || !context_.spec.isolate) {
    const Outcome outcome = cancelled ? Outcome::kClosed : Outcome::kFailed;
    for (const ClaimedRow& row : rows) fail_row(row, outcome, error);
    return;
  }
  context_.stats.retries.add(1);
  const std::size_t half = rows.size() / 2;
  run_again(rows.first(half));
  run_again(rows.subspan(half));
}

void Replica::fail_row(const ClaimedRow& row, Outcome outcome, const Error& error) {
  context_.stats.failed.add(1);
  settler_.fail(*row.request, outcome, context_.stage, error.message, error.detail);
  if (outcome == Outcome::kFailed) {
    context_.router.share_failure({row.request, row.row}, context_.stage, error, settler_);
  }
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
