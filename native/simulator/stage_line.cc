#include "simulator/stage_line.h"

#include <algorithm>

#include "simulator/counter_random.h"

namespace millrace {
namespace {

BatchingLimits limits_of(const SimulatedService& service) {
  BatchingLimits limits;
  limits.max_batch = std::max<std::size_t>(service.max_batch, 1);
  limits.max_delay = service.max_delay;
  return limits;
}

}  // namespace

StageLine::StageLine(const SimulatedService& service, const SimulationOptions& options,
                     std::uint32_t stage, Nanos began)
    : limits_(limits_of(service)),
      replicas_(service.replicas),
      threads_(service.threads),
      device_(service.device),
      keep_queue_times_(options.keep_queue_times),
      service_(service, options.drawn, random_bits(options.seed, stage)),
      wake_overhead_(service.wake_overhead),
      capacity_until_(began),
      drawn_(options.drawn),
      seed_(random_bits(options.seed, stage)) {
  if (keep_queue_times_) queue_times_.resize(Histogram::kBuckets);
}

void StageLine::make_room() {
  std::uint64_t kept = queue_.head();
  for (const Batch& batch : seats_) {
    if (batch.rows > 0) kept = std::min(kept, batch.first);
  }
  queue_.make_room(kept);
}

void StageLine::count_capacity(Nanos now) {
  if (now <= capacity_until_) return;
  capacity_ += static_cast<double>(now - capacity_until_) *
               static_cast<double>(std::max(replicas_, running_));
  capacity_until_ = now;
}

void StageLine::set_replicas(std::size_t replicas, Nanos now) {
  count_capacity(now);
  replicas_ = replicas;
}

void StageLine::set_service(const SimulatedService& service, Nanos now) {
  set_replicas(service.replicas, now);
  limits_ = limits_of(service);
  threads_ = service.threads;
  device_ = service.device;
  wake_overhead_ = service.wake_overhead;
  service_ = StageService(service, drawn_, seed_);
}

StageReport StageLine::report(Nanos now) const {
  StageReport report;
  report.visits = visits_;
  report.batches = batches_;
  report.waiting = queue_.waiting();
  report.replicas = replicas_;
  auto busy = static_cast<double>(busy_);
  for (const Batch& batch : seats_) {
    if (batch.rows > 0) busy += static_cast<double>(now - batch.start);
  }
  const Nanos since_then = std::max<Nanos>(0, now - capacity_until_);
  const double capacity = capacity_ + static_cast<double>(since_then) *
                                          static_cast<double>(std::max(replicas_, running_));
  if (capacity > 0) report.utilization = std::min(1.0, busy / capacity);
  if (keep_queue_times_) {
    const HistogramSummary waits = Histogram::summarize(queue_times_, 0, longest_wait_);
    report.queue_p99 = static_cast<Nanos>(waits.p99);
  }
  return report;
}

}  // namespace millrace
