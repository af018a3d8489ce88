#include "batching/policy.h"

#include <algorithm>

namespace millrace {
namespace {

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

// The largest batch, at most `most`, that ends before the deadline; `most` when not even a batch of
// one does, because such a row is shed and must not hold back the others.
std::size_t largest_in_time(Nanos now, Nanos deadline, std::size_t most,
                            const BatchingLimits& limits) {
  if (limits.latency == nullptr || limits.latency->empty() || deadline == kNever) return most;
  const Nanos left = deadline - now;
  if (service_time(limits, most) < left || service_time(limits, 1) >= left) return most;
  std::size_t fits = 1;
  std::size_t late = most;
  while (late - fits > 1) {
    const std::size_t middle = fits + (late - fits) / 2;
    (service_time(limits, middle) < left ? fits : late) = middle;
  }
  return fits;
}

struct Totals {
  std::size_t waiting = 0;
  Nanos deadline = kNever;
};

Totals totals_of(const QueueView& view) {
  Totals totals;
  for (const ClassView& one : view.classes) {
    if (one.waiting == 0) continue;
    totals.waiting += one.waiting;
    totals.deadline = std::min(totals.deadline, one.head_deadline);
  }
  return totals;
}

// Until when an unfilled batch is held back: as long as max_delay allows, but for no more than half
// of the time that the head of a class has to spare. The other half is for what nobody foresees: a
// wake-up that comes late, a batch slower than the table says, a service time nobody has measured.
Nanos hold_until(const QueueView& view, const BatchingLimits& limits, std::size_t waiting) {
  const Nanos service = service_time(limits, waiting);
  Nanos until = kNever;
  for (const ClassView& one : view.classes) {
    if (one.waiting == 0) continue;
    Nanos hold = std::min(limits.max_delay, kNever - one.oldest_enqueued);
    if (one.head_deadline != kNever) {
      hold = std::min(hold, (one.head_deadline - service - one.oldest_enqueued) / 2);
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

Decision decide(const QueueView& view, const BatchingLimits& limits) {
  Decision decision;
  const Totals totals = totals_of(view);
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
  std::size_t room = largest_in_time(view.now, totals.deadline,
                                     std::min(totals.waiting, limits.max_batch), limits);
  for (const std::uint8_t index : decision.order) {
    decision.take[index] = std::min(room, view.classes[index].waiting);
    room -= decision.take[index];
  }
  return decision;
}

Verdict judge(Nanos now, Nanos deadline, const BatchingLimits& limits) {
  if (deadline == kNever) return Verdict::kRun;
  return now + service_time(limits, 1) >= deadline ? Verdict::kShed : Verdict::kRun;
}

}  // namespace millrace
