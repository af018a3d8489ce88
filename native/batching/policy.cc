#include "batching/policy.h"

#include <algorithm>

namespace millrace {
namespace {

Nanos service_time(const BatchingLimits& limits, std::size_t batch) {
  return limits.latency == nullptr ? 0 : limits.latency->at(batch);
}

// The class a row is served as: its own, less one for each ageing period the head of its class has
// waited.
Nanos effective_class(std::size_t index, const QueueView& view, Nanos ageing) {
  const auto own = static_cast<Nanos>(index);
  if (ageing <= 0) return own;
  return own - (view.now - view.classes[index].oldest_enqueued) / ageing;
}

std::array<std::uint8_t, kPriorityClasses> serving_order(const QueueView& view, Nanos ageing) {
  std::array<std::uint8_t, kPriorityClasses> order{};
  for (std::size_t i = 0; i < kPriorityClasses; ++i) order[i] = static_cast<std::uint8_t>(i);
  // Stable: of classes that are served as equals, the higher goes first.
  std::stable_sort(order.begin(), order.end(), [&](std::uint8_t a, std::uint8_t b) {
    if (view.classes[a].waiting == 0 || view.classes[b].waiting == 0) {
      return view.classes[a].waiting > view.classes[b].waiting;
    }
    return effective_class(a, view, ageing) < effective_class(b, view, ageing);
  });
  return order;
}

// The largest batch, at most `most`, that ends by the deadline; `most` when not even a batch of one
// does, because such a row is shed and must not hold back the others.
std::size_t largest_in_time(Nanos now, Nanos deadline, std::size_t most,
                            const BatchingLimits& limits) {
  if (limits.latency == nullptr || limits.latency->empty() || deadline == kNever) return most;
  const Nanos left = deadline - now;
  if (service_time(limits, most) <= left || service_time(limits, 1) > left) return most;
  std::size_t fits = 1;
  std::size_t late = most;
  while (late - fits > 1) {
    const std::size_t middle = fits + (late - fits) / 2;
    (service_time(limits, middle) <= left ? fits : late) = middle;
  }
  return fits;
}

struct Totals {
  std::size_t waiting = 0;
  Nanos oldest = kNever;
  Nanos deadline = kNever;
};

Totals totals_of(const QueueView& view) {
  Totals totals;
  for (const ClassView& one : view.classes) {
    if (one.waiting == 0) continue;
    totals.waiting += one.waiting;
    totals.oldest = std::min(totals.oldest, one.oldest_enqueued);
    totals.deadline = std::min(totals.deadline, one.head_deadline);
  }
  return totals;
}

// Until when an unfilled batch is held back: as long as max_delay allows and the deadline does.
Nanos hold_until(const Totals& totals, const BatchingLimits& limits) {
  const Nanos filled = totals.oldest + limits.max_delay;
  if (totals.deadline == kNever) return filled;
  return std::min(filled, totals.deadline - service_time(limits, totals.waiting));
}

}  // namespace

Decision decide(const QueueView& view, const BatchingLimits& limits) {
  Decision decision;
  const Totals totals = totals_of(view);
  if (totals.waiting == 0) return decision;
  if (limits.max_delay > 0 && totals.waiting < limits.max_batch) {
    const Nanos until = hold_until(totals, limits);
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
