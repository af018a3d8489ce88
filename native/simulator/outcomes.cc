#include "simulator/outcomes.h"

namespace millrace {
namespace {

// By nearest rank; some are there. Moves them about.
Nanos percentile(std::vector<Nanos>& latencies, std::size_t percent) {
  const std::size_t rank = (latencies.size() * percent + 99) / 100;
  const auto place = latencies.begin() + static_cast<std::ptrdiff_t>(rank - 1);
  std::nth_element(latencies.begin(), place, latencies.end());
  return *place;
}

}  // namespace

Outcomes::Outcomes(const std::vector<Nanos>& arrivals, Nanos overhead)
    : arrivals_(arrivals), overhead_(overhead), done_((arrivals.size() + kBits - 1) / kBits) {}

std::uint64_t Outcomes::count_late(std::size_t arrived, Nanos now) {
  for (; judged_ < arrived && is_old(judged_, limit_, now); ++judged_) {
    if (!is_done(judged_)) ++late_;
  }
  return late_;
}

SimulationReport Outcomes::report(Nanos limit, std::size_t arrived, Nanos now) const {
  SimulationReport report;
  report.arrived = arrived;
  report.finished = finished_;
  for (std::size_t i = 0; i < arrived && is_old(i, limit, now); ++i) {
    if (!is_done(i)) ++report.late;
  }
  if (latencies_.empty()) return report;
  std::vector<Nanos> sorted = latencies_;
  report.late += static_cast<std::uint64_t>(
      std::count_if(sorted.begin(), sorted.end(), [&](Nanos one) { return one > limit; }));
  report.p50 = percentile(sorted, 50);
  report.p95 = percentile(sorted, 95);
  report.p99 = percentile(sorted, 99);
  report.max = *std::max_element(sorted.begin(), sorted.end());
  return report;
}

}  // namespace millrace
