#include "engine/result_cache.h"

#include <utility>

namespace millrace {

ResultCache::Answer ResultCache::ask(const KeyView& key, RowRef row, Nanos now) {
  using Kind = Answer::Kind;
  const std::lock_guard lock(mutex_);
  if (SharedResult result = store_.find(key, now)) {
    ++hits_;
    return {Kind::kHit, std::move(result)};
  }
  if (flights_.attach(key, row)) {
    ++shared_;
    return {Kind::kAttached, nullptr};
  }
  ++misses_;
  flights_.begin(key, row, generation_);
  return {Kind::kLeads, nullptr};
}

std::vector<RowRef> ResultCache::complete(RowRef leader, SharedResult result, Nanos now) {
  const std::lock_guard lock(mutex_);
  auto flight = flights_.land(leader);
  if (!flight) return {};
  if (flight->generation == generation_) {
    store_.insert(std::move(flight->key), std::move(result), now);
  }
  return std::move(flight->attached);
}

std::vector<RowRef> ResultCache::fail(RowRef leader) {
  const std::lock_guard lock(mutex_);
  auto flight = flights_.land(leader);
  if (!flight) return {};
  return std::move(flight->attached);
}

Succession ResultCache::succeed(RowRef leader) {
  const std::lock_guard lock(mutex_);
  return flights_.succeed(leader);
}

bool ResultCache::followed(RowRef leader) const {
  const std::lock_guard lock(mutex_);
  return flights_.followed(leader);
}

void ResultCache::clear() {
  const std::lock_guard lock(mutex_);
  ++generation_;
  store_.clear();
  flights_.close_all();
}

CacheStats ResultCache::stats() const {
  const std::lock_guard lock(mutex_);
  return {hits_, shared_, misses_, store_.bytes(), store_.entries(), store_.evictions()};
}

}  // namespace millrace
