#include "batching/policy.h"

#include <algorithm>

namespace millrace {
namespace {

// A batch that is smaller for its head's sake, while others wait, may cost an eighth of the
// throughput.
constexpr double kTolerableShare = 7.0 / 8;

// A batch is given a quarter more time than it is expected to take.
constexpr Nanos kComfort = 4;

// By when this stage must be done with a row.
Nanos due(Nanos deadline, Nanos rest) {
  return deadline == kNever ? kNever : deadline - rest;
}

Nanos service_time(const BatchingLimits& limits, std::size_t batch) {
  return limits.latency == nullptr ? 0 : limits.latency->at(batch);
}

// Empty classes last; of classes that are served as equals, the higher first.
std::array<std::uint8_t, kPriorityClasses> serving_order(const QueueView& view, Nanos ageing) {
  std::array<std::uint8_t, kPriorityClasses> order{};
  std::array<Nanos, kPriorityClasses> rank{};
  for (std::size_t i = 0; i < kPriorityClasses; ++i) {
    order[i] = static_cast<std::uint8_t>(i);
    rank[i] = view.classes[i].waiting == 0 ? kNever : served_as(view, i, ageing);
  }
  // Not stable_sort, which allocates.
  std::sort(order.begin(), order.end(), [&](std::uint8_t a, std::uint8_t b) {
    return rank[a] != rank[b] ? rank[a] < rank[b] : a < b;
  });
  return order;
}

// Service times are medians: of batches that would just fit, half would be late, with all their
// rows.
bool in_comfort(const BatchingLimits& limits, std::size_t batch, Nanos left) {
  const Nanos service = service_time(limits, batch);
  return service + service / kComfort < left;
}

// The largest batch, at most `most`, that ends before the deadline; `most` when not even a batch of
// one does, because such a row is shed and must not hold back the others.
std::size_t largest_in_time(Nanos now, Nanos deadline, std::size_t most,
                            const BatchingLimits& limits) {
  if (limits.latency == nullptr || limits.latency->empty() || deadline == kNever) return most;
  const Nanos left = deadline - now;
  if (in_comfort(limits, most, left) || service_time(limits, 1) >= left) return most;
  std::size_t fits = 1;
  std::size_t late = most;
  while (late - fits > 1) {
    const std::size_t middle = fits + (late - fits) / 2;
    (in_comfort(limits, middle, left) ? fits : late) = middle;
  }
  return fits;
}

// Rows a second that batches of the smaller size would fall short of those of the larger.
bool costs_throughput(std::size_t smaller, std::size_t larger, const BatchingLimits& limits) {
  const auto rate = [&](std::size_t batch) {
    return static_cast<double>(batch) / static_cast<double>(service_time(limits, batch));
  };
  return smaller < larger && rate(smaller) < kTolerableShare * rate(larger);
}

struct Totals {
  std::size_t waiting = 0;
  Nanos deadline = kNever;  // the tightest of the heads', for a batch of this stage to end by
};

Totals totals_of(const QueueView& view, const BatchingLimits& limits) {
  Totals totals;
  for (std::size_t i = 0; i < kPriorityClasses; ++i) {
    const ClassView& one = view.classes[i];
    if (one.waiting == 0) continue;
    totals.waiting += one.waiting;
    totals.deadline = std::min(totals.deadline, due(one.head_deadline, limits.rest[i]));
  }
  return totals;
}

// How many rows the next batch has.
std::size_t batch_size(Nanos now, const Totals& totals, const BatchingLimits& limits) {
  const std::size_t most = std::min(totals.waiting, limits.max_batch);
  const std::size_t fits = largest_in_time(now, totals.deadline, most, limits);
  const bool backlog = totals.waiting > limits.max_batch;
  return backlog && costs_throughput(fits, most, limits) ? most : fits;
}

// Until when an unfilled batch is held back: as long as max_delay allows, but for no more than half
// of the time that the head of a class has to spare. The other half is for what nobody foresees: a
// wake-up that comes late, a batch slower than the table says, a service time nobody has measured.
Nanos hold_until(const QueueView& view, const BatchingLimits& limits, std::size_t waiting) {
  const Nanos service = service_time(limits, waiting);
  Nanos until = kNever;
  for (std::size_t i = 0; i < kPriorityClasses; ++i) {
    const ClassView& one = view.classes[i];
    if (one.waiting == 0) continue;
    Nanos hold = std::min(limits.max_delay, kNever - one.oldest_enqueued);
    if (one.head_deadline != kNever) {
      const Nanos latest_start = due(one.head_deadline, limits.rest[i]) - service;
      hold = std::min(hold, (latest_start - one.oldest_enqueued) / 2);
    }
    until = std::min(until, one.oldest_enqueued + hold);
  }
  return until;
}

}  // namespace

Nanos served_as(const QueueView& view, std::size_t index, Nanos ageing) {
  const auto own = static_cast<Nanos>(index);
  if (ageing <= 0) return own;
  return own - (view.now - view.classes[index].oldest_enqueued) / ageing;
}

Decision decide_among(const QueueView& view, const BatchingLimits& limits) {
  Decision decision;
  const Totals totals = totals_of(view, limits);
  if (totals.waiting == 0) return decision;
  if (limits.max_delay > 0 && totals.waiting < limits.max_batch) {
    const Nanos until = hold_until(view, limits, totals.waiting);
    if (view.now < until) {
      decision.action = Decision::Action::kWait;
      decision.wait_until = until;
      return decision;
    }
  }
  decision.action = Decision::Action::kTake;
  decision.order = serving_order(view, limits.ageing);
  std::size_t room = batch_size(view.now, totals, limits);
  for (const std::uint8_t index : decision.order) {
    decision.take[index] = std::min(room, view.classes[index].waiting);
    room -= decision.take[index];
  }
  return decision;
}

Verdict judge(Nanos now, const JudgedRow& row, std::size_t batch, const BatchingLimits& limits) {
  if (row.deadline == kNever) return Verdict::kRun;
  const Nanos latest_end = due(row.deadline, limits.rest[row.priority]);
  return now + service_time(limits, batch) >= latest_end ? Verdict::kShed : Verdict::kRun;
}

}  // namespace millrace
