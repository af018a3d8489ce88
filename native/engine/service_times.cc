#include "engine/service_times.h"

#include <algorithm>
#include <span>

namespace millrace {
namespace {

constexpr Nanos kTrust = 1'000 * kNanosPerMilli;
constexpr Nanos kTrustedServiceTimes = 8;
constexpr std::size_t kSizesPerOctave = 4;
constexpr std::size_t kMostSlots = 127;  // far beyond any size of batch that a process can hold

std::vector<std::size_t> sizes_up_to(std::size_t max_batch) {
  std::vector<std::size_t> sizes;
  std::size_t step = 1;
  for (std::size_t size = 1; size < max_batch && sizes.size() + 1 < kMostSlots; size += step) {
    sizes.push_back(size);
    if (size == 2 * kSizesPerOctave * step) step *= 2;
  }
  sizes.push_back(max_batch);
  return sizes;
}

bool is_like(Nanos service, Nanos median) {
  return service <= 2 * median && median <= 2 * service;
}

}  // namespace

ServiceTimes::ServiceTimes(std::size_t max_batch)
    : sizes_(sizes_up_to(max_batch)), slots_(std::make_unique<Slot[]>(sizes_.size())) {}

ServiceTimes::Slot& ServiceTimes::slot_of(std::size_t batch) const {
  const auto at = std::lower_bound(sizes_.begin(), sizes_.end() - 1, batch);
  return slots_[static_cast<std::size_t>(at - sizes_.begin())];
}

bool ServiceTimes::is_fresh(const Slot& slot, Nanos now) {
  const Nanos median = slot.median.load(std::memory_order_relaxed);
  const Nanos age = now - slot.updated.load(std::memory_order_relaxed);
  return median > 0 && age <= std::max(kTrust, kTrustedServiceTimes * median);
}

Nanos ServiceTimes::median_of(const Slot& slot, std::uint32_t count) {
  std::array<Nanos, kSamples> sorted{};
  const std::size_t known = std::min<std::size_t>(count, kSamples);
  for (std::size_t i = 0; i < known; ++i) {
    sorted[i] = slot.samples[i].load(std::memory_order_relaxed);
  }
  const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(known / 2);
  std::nth_element(sorted.begin(), middle, sorted.begin() + static_cast<std::ptrdiff_t>(known));
  return *middle;
}

void ServiceTimes::record(std::size_t batch, Nanos service, Nanos now) {
  Slot& slot = slot_of(batch);
  const Nanos sample = std::max<Nanos>(service, 1);
  std::uint32_t count = slot.count.load(std::memory_order_relaxed);
  const Nanos median = slot.median.load(std::memory_order_relaxed);
  if (median > 0 && !is_fresh(slot, now) && !is_like(sample, median)) count = 0;
  slot.samples[count % kSamples].store(sample, std::memory_order_relaxed);
  // Full, it goes round and round: only the remainder matters then.
  count = count + 1 < 2 * kSamples ? count + 1 : static_cast<std::uint32_t>(kSamples);
  slot.count.store(count, std::memory_order_relaxed);
  slot.median.store(count < kEnough ? 0 : median_of(slot, count), std::memory_order_relaxed);
  slot.updated.store(now, std::memory_order_relaxed);
}

void ServiceTimes::read(Nanos now, LatencyTable& table) const {
  std::array<LatencyTable::Point, kMostSlots + 1> points;
  std::size_t first = points.size();
  Nanos larger = kNever;
  for (std::size_t i = sizes_.size(); i-- > 0;) {
    if (!is_fresh(slots_[i], now)) continue;
    const Nanos median = slots_[i].median.load(std::memory_order_relaxed);
    if (median == 0) continue;  // it was started anew just now
    larger = std::min(larger, median);
    points[--first] = {sizes_[i], larger};
  }
  if (first < points.size() && points[first].batch > 1) {
    const auto smallest = static_cast<Nanos>(points[first].batch);
    points[--first] = {1, std::max<Nanos>(larger / smallest, 1)};
  }
  table.assign(std::span(points).subspan(first));
}

}  // namespace millrace
