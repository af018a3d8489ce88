#include "engine/replica.h"

#include <algorithm>
#include <cstring>
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

std::size_t byte_count(const TensorView& view, DataType type) {
  std::size_t bytes = element_size(type);
  for (const std::int64_t dim : view.dims) bytes *= static_cast<std::size_t>(dim);
  return bytes;
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
    const Decision decision = decide(queue_.view(now), limits_);
    switch (decision.action) {
      case Decision::Action::kTake:
        take(decision, now);
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
  const Decision decision = decide(queue_.view(context_.clock.now()), limits_);
  if (decision.action == Decision::Action::kTake || stopping_.load(std::memory_order_acquire)) {
    queue_.parked.cancel_wait();
  } else {
    queue_.parked.wait(key, decision.wait_until);
  }
}

void Replica::take(const Decision& decision, Nanos now) {
  claim(decision, now);
  // One wake-up may stand for more rows than one batch can take: of another shape, or too late to
  // be in it.
  if (queue_.ready()) queue_.parked.notify_one();
  if (!dropped_.empty()) settler_.flush();  // those shed are answered now, not after the batch
  std::span<const ClaimedRow> rest = live_;
  while (!rest.empty()) {
    const std::size_t alike = inputs_.same_shape(rest);
    run_rows(rest.first(alike));
    rest = rest.subspan(alike);
  }
  release_claims();
  send_on();
  context_.stats.busy_ns.add(static_cast<std::uint64_t>(settler_.now() - now));
}

void Replica::claim(const Decision& decision, Nanos now) {
  settler_.set_now(now);
  for (const std::uint8_t priority : decision.order) {
    if (decision.take[priority] == 0) continue;
    const auto claim = queue_.ring(priority).claim(decision.take[priority]);
    if (claim.count == 0) continue;
    claims_.push_back({priority, claim});
    admit(claim, priority, now);
  }
}

// Sorts claimed rows into those to run and those to drop: whose request is settled already, or
// cannot be met any more.
void Replica::admit(const Ring<RowRef>::Claim& claim, std::uint8_t priority, Nanos now) {
  const Ring<RowRef>& ring = queue_.ring(priority);
  for (std::uint64_t at = claim.position; at < claim.position + claim.count; ++at) {
    const RowRef& ref = ring.at(at);
    if (ref.request == nullptr) continue;  // refused after its slot was reserved
    const bool settled = ref.request->settlement.settled();
    if (settled && !context_.router.wanted(ref, context_.stage)) {
      context_.stats.skipped.add(1);
      dropped_.push_back({ref.request, ref.row});
    } else if (!settled && judge(now, ref.request->deadline, limits_) == Verdict::kShed) {
      context_.stats.shed.add(1);
      settler_.fail(*ref.request, Outcome::kDeadlineExceeded, context_.stage, "");
      dropped_.push_back({ref.request, ref.row});
    } else {
      const Nanos enqueued = ring.key(at).enqueued;
      context_.stats.queue_ns.record(now - enqueued);
      live_.push_back({ref.request, ref.row, priority, at});
    }
  }
}

void Replica::release_claims() {
  for (const Claimed& one : claims_) {
    queue_.ring(one.priority).release(one.claim.position, one.claim.count);
  }
  claims_.clear();
  live_.clear();
}

void Replica::run_rows(std::span<const ClaimedRow> rows) {
  const Nanos began = context_.clock.now();
  const Status status = runner_->run({rows.size(), kNever, inputs_.assemble(rows), {}}, result_);
  const Nanos ended = context_.clock.now();
  settler_.set_now(ended);
  ReplicaStats& stats = context_.stats;
  stats.batches.add(1);
  stats.service_ns.record(ended - began);
  stats.batch_rows.record(static_cast<std::int64_t>(rows.size()));
  if (inputs_.gathered()) stats.gathered.add(1);
  if (!status.ok()) return split(rows, status.error());
  const Status stored = store(rows);
  if (!stored.ok()) return split(rows, stored.error());
  stats.rows.add(rows.size());
  served_.insert(served_.end(), rows.begin(), rows.end());
}

void Replica::split(std::span<const ClaimedRow> rows, const Error& error) {
  if (rows.size() == 1 || error.code == ErrorCode::kCancelled) {
    const Outcome outcome =
        error.code == ErrorCode::kCancelled ? Outcome::kClosed : Outcome::kFailed;
    for (const ClaimedRow& row : rows) {
      context_.stats.failed.add(1);
      settler_.fail(*row.request, outcome, context_.stage, error.message);
      if (outcome == Outcome::kFailed) {
        context_.router.share_failure({row.request, row.row}, context_.stage, error, settler_);
      }
      dropped_.push_back({row.request, row.row});
    }
    return;
  }
  context_.stats.retries.add(1);
  const std::size_t half = rows.size() / 2;
  run_rows(rows.first(half));
  run_rows(rows.subspan(half));
}

Status Replica::store(std::span<const ClaimedRow> rows) {
  for (std::size_t i = 0; i < stage_.output_values.size(); ++i) {
    Status fits = check(rows, i);
    if (!fits.ok()) return fits;
  }
  for (std::size_t i = 0; i < stage_.output_values.size(); ++i) {
    const std::uint32_t value = stage_.output_values[i];
    if (context_.layout.values[value].fixed) {
      store_fixed(rows, value, result_.outputs[i]);
    } else {
      store_open(rows, value, result_.outputs[i]);
    }
  }
  return {};
}

Status Replica::check(std::span<const ClaimedRow> rows, std::size_t output) const {
  const ValueLayout& place = context_.layout.values[stage_.output_values[output]];
  const TensorView& view = result_.outputs[output];
  const auto fault = [&](const char* what) {
    const std::size_t index = stage_.model_outputs[output];
    return Error{ErrorCode::kStageFailed,
                 "output '" + context_.spec.model->outputs()[index].name + "' " + what};
  };
  const auto count = static_cast<std::int64_t>(rows.size());
  if (place.batched && (view.dims.empty() || view.dims[0] != count)) {
    return fault("does not have one row for each row of the batch");
  }
  if (place.fixed && byte_count(view, place.type) != rows.size() * place.row_bytes) {
    return fault("has another shape than its model declares");
  }
  return {};
}

void Replica::store_fixed(std::span<const ClaimedRow> rows, std::uint32_t value,
                          const TensorView& output) {
  const std::size_t row_bytes = context_.layout.values[value].row_bytes;
  if (row_bytes == 0) return;  // then there may be no data to point at
  const std::byte* from = output.data;
  for (const ClaimedRow& row : rows) {
    std::memcpy(row.request->record_row(value, row.row), from, row_bytes);
    from += row_bytes;
  }
}

void Replica::store_open(std::span<const ClaimedRow> rows, std::uint32_t value,
                         const TensorView& output) {
  const ValueLayout& place = context_.layout.values[value];
  const auto skip = static_cast<std::ptrdiff_t>(place.batched ? 1 : 0);
  std::size_t elements = 1;
  for (auto dim = output.dims.begin() + skip; dim != output.dims.end(); ++dim) {
    elements *= static_cast<std::size_t>(*dim);
  }
  const std::size_t row_bytes = elements * element_size(place.type);
  for (std::size_t n = 0; n < rows.size(); ++n) {
    Blob& blob = rows[n].request->blob_row(value, rows[n].row);
    blob.dims.assign(output.dims.begin() + skip, output.dims.end());
    if (place.type == DataType::kString) {
      const std::string* first = output.strings + n * elements;
      blob.strings.assign(first, first + elements);
    } else {
      const std::byte* first = output.data + n * row_bytes;
      blob.bytes.assign(first, first + row_bytes);
    }
  }
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
