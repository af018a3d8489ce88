#include "engine/result_store.h"

#include <algorithm>
#include <utility>

namespace millrace {
namespace {

// More than one, so that an insert() leaves fewer expired entries behind than it found.
constexpr int kReclaimedAtOnce = 2;

// What the index and the allocator add to an entry: a node, a bucket, four headers.
constexpr std::size_t kIndexBytes = sizeof(KeyView) + 4 * sizeof(void*) + 64;

// A table that grows is rebuilt while the event loop waits; entries of a stage are mostly of one
// size, so the first tells how large it will be.
constexpr std::size_t kMostBuckets = std::size_t{1} << 20;

Nanos end_of(Nanos now, Nanos ttl) {
  return ttl > kNever - now ? kNever : now + ttl;
}

}  // namespace

template <ResultStore::Links ResultStore::Entry::*kLinks>
void ResultStore::List<kLinks>::push_back(Entry& entry) {
  (entry.*kLinks) = {last, nullptr};
  (last == nullptr ? first : (last->*kLinks).after) = &entry;
  last = &entry;
}

template <ResultStore::Links ResultStore::Entry::*kLinks>
void ResultStore::List<kLinks>::remove(Entry& entry) {
  const Links links = entry.*kLinks;
  (links.before == nullptr ? first : (links.before->*kLinks).after) = links.after;
  (links.after == nullptr ? last : (links.after->*kLinks).before) = links.before;
}

SharedResult ResultStore::find(const KeyView& key, Nanos now) {
  reclaim(now);
  const auto found = index_.find(key);
  if (found == index_.end()) return nullptr;
  Entry& entry = *found->second;
  if (entry.expires <= now) {
    remove(entry);
    return nullptr;
  }
  by_use_.remove(entry);
  by_use_.push_back(entry);
  return entry.result;
}

void ResultStore::insert(Key key, SharedResult result, Nanos now) {
  reclaim(now);
  const auto old = index_.find(key.view());
  if (old != index_.end()) remove(*old->second);
  const std::size_t bytes =
      sizeof(Entry) + kIndexBytes + key.bytes.capacity() + result->memory_bytes();
  const Nanos expires = end_of(now, limits_.ttl);
  if (bytes > limits_.max_bytes || expires <= now) return;
  make_room(bytes);
  if (index_.bucket_count() == 1) {
    index_.reserve(std::min(limits_.max_bytes / bytes, kMostBuckets));
  }
  auto entry = std::make_unique<Entry>();
  entry->key = std::move(key);
  entry->result = std::move(result);
  entry->bytes = bytes;
  entry->expires = expires;
  bytes_ += bytes;
  by_use_.push_back(*entry);
  by_age_.push_back(*entry);
  index_.emplace(entry->key.view(), std::move(entry));
}

void ResultStore::clear() {
  index_.clear();
  by_use_ = {};
  by_age_ = {};
  bytes_ = 0;
}

void ResultStore::make_room(std::size_t bytes) {
  while (bytes_ + bytes > limits_.max_bytes) {
    remove(*by_use_.first);
    ++evictions_;
  }
}

void ResultStore::reclaim(Nanos now) {
  for (int i = 0; i < kReclaimedAtOnce; ++i) {
    Entry* const oldest = by_age_.first;
    if (oldest == nullptr || oldest->expires > now) return;
    remove(*oldest);
  }
}

void ResultStore::remove(Entry& entry) {
  bytes_ -= entry.bytes;
  by_use_.remove(entry);
  by_age_.remove(entry);
  index_.erase(index_.find(entry.key.view()));
}

}  // namespace millrace
