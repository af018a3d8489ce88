#include "simulator/stage_service.h"

#include <algorithm>
#include <cmath>

#include "simulator/counter_random.h"

namespace millrace {
namespace {

// Larger batches are looked up in the points.
constexpr std::size_t kMostDense = 4096;

}  // namespace

StageService::StageService(const SimulatedService& service, bool drawn, std::uint64_t seed)
    : latency_(service.latency), hop_overhead_(service.hop_overhead), seed_(seed) {
  if (drawn) spread_ = service.spread;
  means_.push_back(0);
  const std::size_t most = std::min(service.max_batch, kMostDense);
  for (std::size_t rows = 1; rows <= most; ++rows) means_.push_back(latency_.at(rows));
}

// By inversion; linear between quantiles.
Nanos StageService::draw(Nanos mean, std::uint64_t number) const {
  const double place = random_share(seed_, number) * static_cast<double>(spread_.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, spread_.size() - 1);
  const double rest = place - static_cast<double>(below);
  const double factor = spread_[below] + (spread_[above] - spread_[below]) * rest;
  return std::max<Nanos>(0, std::llround(static_cast<double>(mean) * factor));
}

}  // namespace millrace
